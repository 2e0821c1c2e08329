import { CodedError } from "@pm/core";
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { encodeServerElement, PUBLIC_ERRORS, toClientError } from "../src/index.ts";

const KEYS = ["code", "errorId", "field", "message", "retryAfterMs", "retryable"];
const text = fc.string({ unit: "binary", minLength: 4 });
const code = fc.oneof(
  fc.constantFrom(...Object.keys(PUBLIC_ERRORS)),
  fc.constantFrom("INVALID_CLAIM", "JWT_DECODE_FAILED", "INVALID_NAME", "ENCODE_ERROR", "__proto__", "constructor"),
  fc.string(),
);

describe("toClientError", () => {
  it("given any error, when it is told, then all of it is from the table but the id, the field and the wait", () => {
    const details = fc.record({
      cause: fc.anything(),
      field: fc.option(fc.constantFrom("channel", "since"), { nil: undefined }),
    });
    fc.assert(
      fc.property(code, text, details, fc.double(), (inside, message, given, retryAfterMs) => {
        const told = toClientError(new CodedError(inside, message, { ...given, retryAfterMs }), "e-1");
        expect(Object.keys(told).toSorted()).toEqual(KEYS);
        expect(told).toMatchObject(PUBLIC_ERRORS[told.code]);
        expect(["", given.field]).toContain(told.field);
        expect(told.errorId).toBe("e-1");
      }),
    );
  });

  it("given secrets in everything but the field, when the error is told, then none of them is on the wire", () => {
    const secret = fc.uuid();
    fc.assert(
      fc.property(fc.oneof(code, secret), secret, (inside, hidden) => {
        const error = new CodedError(inside, `of ${hidden}`, { cause: new Error(hidden) });
        error.stack = `${hidden}\n    at ${hidden} (/${hidden}.js:1:1)`;
        const told = toClientError(error, "e-1");
        for (const encoding of ["proto", "json"] as const) {
          const wire = Buffer.from(encodeServerElement({ body: { case: "error", value: told } }, encoding)).toString(
            "latin1",
          );
          expect(wire).not.toContain(hidden);
          if (inside !== told.code && inside.length > 8) expect(wire).not.toContain(inside);
        }
      }),
    );
  });

  it("given any wait, when it is told, then it is a whole number that fits the wire and is never too short", () => {
    fc.assert(
      fc.property(fc.double(), (retryAfterMs) => {
        const told = toClientError(new CodedError("RATE_LIMIT_EXCEEDED", "m", { retryAfterMs }), "e-1").retryAfterMs;
        expect(Number.isInteger(told) && told >= 0 && told <= 2 ** 32 - 1).toBe(true);
        if (retryAfterMs <= 2 ** 32 - 1) expect(told).toBeGreaterThanOrEqual(retryAfterMs);
      }),
    );
  });
});
