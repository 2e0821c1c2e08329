import { isTenantId } from "@pm/core";
import * as fc from "fast-check";
import { expect, it } from "vitest";
import { claimsOf } from "../test/tokens.ts";
import { AuthError } from "./auth-error.ts";
import { Claims } from "./claims.ts";

const CLAIM_NAMES = ["sub", "tenant_id", "exp", "iat", "nbf", "iss", "aud", "jti", "roles", "channels"] as const;

it("given any values as claims, when they are parsed, then they are of the closed types or refused as a claim", () => {
  const changes = fc.dictionary(fc.constantFrom(...CLAIM_NAMES), fc.anything({ withNullPrototype: true }));
  fc.assert(
    fc.property(changes, (changed) => {
      try {
        const claims = Claims.parse(claimsOf(changed));
        expect(isTenantId(claims.tenant_id)).toBe(true);
        expect(claims.sub.isWellFormed()).toBe(true);
        expect(Number.isFinite(claims.exp) && Number.isFinite(claims.iat)).toBe(true);
        expect(claims.roles.every((role) => typeof role === "string")).toBe(true);
      } catch (error) {
        expect(error).toBeInstanceOf(AuthError);
        expect(error).toMatchObject({ code: "INVALID_CLAIM" });
      }
    }),
  );
});
