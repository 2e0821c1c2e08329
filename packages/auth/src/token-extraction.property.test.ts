import * as fc from "fast-check";
import { expect, it } from "vitest";
import { AuthError } from "./auth-error.ts";
import { extractToken } from "./token-extraction.ts";

const CODES = ["MISSING_AUTH_HEADER", "INVALID_AUTH_SCHEME", "INVALID_TOKEN"];
const words = fc.constantFrom(
  "Bearer ",
  "bearer",
  "Basic ",
  "pm.v1.bearer.",
  "pm.v1.proto",
  ",",
  ", ",
  " ",
  "a.b.c",
  "d",
);
const values = fc.option(
  fc.oneof(
    fc.string(),
    fc.array(words, { maxLength: 8 }).map((list) => list.join("")),
  ),
  { nil: undefined },
);

it("given any headers, when a token is looked for, then there is one that stands in them, or an error of ours", () => {
  fc.assert(
    fc.property(values, values, (authorization, subprotocols) => {
      try {
        const { token, source } = extractToken({ authorization, subprotocols });
        const from = source === "header" ? authorization : subprotocols;
        expect(from).toContain(token);
        expect(token).not.toMatch(source === "header" ? /[\s,]/ : /,/);
      } catch (error) {
        if (!(error instanceof AuthError)) throw error;
        expect(CODES).toContain(error.code);
      }
    }),
  );
});
