import { ManualClock } from "@pm/core/testing";
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { claimsOf, hs256, SECRET } from "../test/tokens.ts";
import { AuthError } from "./auth-error.ts";
import { JwtValidator } from "./jwt-validator.ts";

const ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.=+/ ";
const validator = JwtValidator.withHs256(SECRET, { clock: new ManualClock() });
const good = hs256(claimsOf({ channels: [{ pattern: "project:*", allow: ["subscribe"] }] }));

/** The refusal as a client sees it. */
async function publicRefusalOf(token: string): Promise<unknown> {
  const error: unknown = await validator.authenticate(token).then(
    () => "was accepted",
    (refusal: unknown) => refusal,
  );
  expect(error).toBeInstanceOf(AuthError);
  return error instanceof AuthError ? error.toProtoError("id") : undefined;
}

const INVALID = AuthError.invalidToken("any").toProtoError("id");

describe("JwtValidator", () => {
  it("given a good token with any one character replaced, removed or added, when it comes, then it is refused", async () => {
    await validator.authenticate(good);
    const edits = fc.record({
      at: fc.nat(good.length - 1),
      removed: fc.nat(1),
      inserted: fc.constantFrom("", ...ALPHABET.split("")),
    });
    await fc.assert(
      fc.asyncProperty(edits, async ({ at, removed, inserted }) => {
        const edited = good.slice(0, at) + inserted + good.slice(at + removed);
        fc.pre(edited !== good);
        expect(await publicRefusalOf(edited)).toEqual(INVALID);
      }),
    );
  });

  it("given any text, when it comes as a token, then it is refused with the one public answer", async () => {
    const texts = fc.oneof(
      fc.string({ unit: "binary" }),
      fc.tuple(fc.base64String(), fc.base64String(), fc.base64String()).map((parts) => parts.join(".")),
    );
    await fc.assert(
      fc.asyncProperty(texts, async (text) => {
        expect(await publicRefusalOf(text)).toEqual(INVALID);
      }),
    );
  });

  it("given any header and payload with a good signature, when they come, then they are refused as invalid or expired", async () => {
    const values = fc.jsonValue();
    await fc.assert(
      fc.asyncProperty(values, values, async (header, payload) => {
        expect(await publicRefusalOf(hs256(payload, SECRET, header))).toEqual(INVALID);
        expect(await publicRefusalOf(hs256(payload))).toEqual(INVALID);
      }),
    );
  });
});
