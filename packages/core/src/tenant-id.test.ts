import { describe, expect, it } from "vitest";
import { NameError } from "./name-error.ts";
import { isTenantId, parseTenantId } from "./tenant-id.ts";

describe("parseTenantId", () => {
  it.each(["a", "7", "Acme", "acme-1.eu_west", "A".repeat(128), "0__proto__", "constructor"])(
    "given %j, when it is parsed, then it is taken as it stands",
    (text) => {
      expect(parseTenantId(text)).toBe(text);
      expect(isTenantId(text)).toBe(true);
    },
  );

  it.each([
    ["nothing", ""],
    ["129 characters", "a".repeat(129)],
    ["a sign first", "-acme"],
    ["a dot first", ".acme"],
    ["a path", "../acme"],
    ["a space", "ac me"],
    ["a line end", "acme\n"],
    ["a colon", "acme:x"],
    ["a star", "acme*"],
    ["braces", "{acme}"],
    ["NUL", "acme\0"],
    ["fullwidth letters", "ａｃｍｅ"],
    ["a letter with an accent", "acmé"],
    ["a lone surrogate", "acme\ud800"],
    ["an emoji", "acme\u{1f600}"],
  ])("given a string with %s, when it is parsed, then it is refused", (_, text) => {
    expect(isTenantId(text)).toBe(false);
    expect(() => parseTenantId(text)).toThrow(expect.objectContaining({ code: "INVALID_NAME", field: "tenant_id" }));
  });

  it.each([[undefined], [null], [7], [["acme"]], [{ toString: () => "acme" }], [Object("acme")]])(
    "given %o, which is no string, when it is parsed, then it is refused",
    (value) => {
      expect(() => parseTenantId(value)).toThrow(NameError);
    },
  );
});
