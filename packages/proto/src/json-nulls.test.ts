import { describe, expect, it } from "vitest";
import { parseWithoutNulls } from "./json-nulls.ts";

describe("parseWithoutNulls", () => {
  it("given keys that are null at any level, when it is parsed, then they are gone and all else is there", () => {
    expect(parseWithoutNulls('{"a":null,"b":{"c":null,"d":"null"},"e":[{"f":null,"g":0}]}')).toEqual({
      b: { d: "null" },
      e: [{ g: 0 }],
    });
  });

  it("given null in a list or alone, when it is parsed, then it stays", () => {
    expect(parseWithoutNulls("[null,1]")).toEqual([null, 1]);
    expect(parseWithoutNulls("null")).toBeNull();
  });

  it("given __proto__ that is null, when it is parsed, then the key is gone and the prototype stands", () => {
    const parsed = parseWithoutNulls('{"__proto__":null,"a":1}') as object;
    expect(Object.keys(parsed)).toEqual(["a"]);
    expect(Object.getPrototypeOf(parsed)).toBe(Object.prototype);
  });

  it("given text that is not JSON, when it is parsed, then there is a SyntaxError", () => {
    expect(() => parseWithoutNulls("nulls")).toThrow(SyntaxError);
  });
});
