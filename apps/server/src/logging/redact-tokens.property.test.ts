import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { redactTokens } from "./redact-tokens.ts";

const base64url = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString("base64url");
const signature = fc
  .uint8Array({ minLength: 32, maxLength: 256 })
  .map((bytes) => Buffer.from(bytes).toString("base64url"));

/** Real ones: whatever the claims and however long the signature. */
const token = fc
  .record({
    alg: fc.constantFrom("HS256", "RS256", "ES256", "none"),
    kid: fc.option(fc.string({ maxLength: 20 }), { nil: undefined }),
    claims: fc.dictionary(fc.string(), fc.jsonValue()),
    signature,
  })
  .map(({ alg, kid, claims, signature: signed }) => {
    const payload = { sub: "user", tenant_id: "acme", exp: 1, ...claims };
    return `${base64url({ alg, kid })}.${base64url(payload)}.${alg === "none" ? "" : signed}`;
  });

const around = fc.string({ unit: "binary", maxLength: 40 });

describe("laws of redaction", () => {
  it("given a token in any text when it is redacted then no eight characters of its claims or signature are left", () => {
    fc.assert(
      fc.property(around, token, around, (before, jwt, after) => {
        const redacted = redactTokens(before + jwt + after);
        for (const part of jwt.split(".").slice(1)) {
          for (let i = 0; i + 8 <= part.length; i += 4) expect(redacted).not.toContain(part.slice(i, i + 8));
        }
      }),
    );
  });

  it("given any credential after Bearer in any text when it is redacted then it is gone", () => {
    const credential = fc.stringMatching(/^[A-Za-z0-9._~+/-]{12,60}=*$/);
    fc.assert(
      fc.property(around, credential, (before, secret) => {
        expect(redactTokens(`${before}Bearer ${secret}`)).not.toContain(secret);
      }),
    );
  });

  it("given any text when it is redacted twice then the second time changes nothing", () => {
    fc.assert(
      fc.property(fc.array(fc.oneof(around, token)), (parts) => {
        const once = redactTokens(parts.join(""));
        expect(redactTokens(once)).toBe(once);
      }),
    );
  });
});
