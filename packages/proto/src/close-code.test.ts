import { describe, expect, it } from "vitest";
import { CloseCode } from "./close-code.ts";

describe("CloseCode", () => {
  const codes = Object.values(CloseCode);

  it("given all codes, when they are compared, then each has one meaning", () => {
    expect(new Set(codes).size).toBe(codes.length);
  });

  it("given all codes, when they are placed, then each is of RFC 6455 or in a range that pm.v1 gives a meaning", () => {
    for (const code of codes) {
      expect((code >= 1000 && code <= 1013) || (code >= 4000 && code <= 4999), String(code)).toBe(true);
    }
  });
});
