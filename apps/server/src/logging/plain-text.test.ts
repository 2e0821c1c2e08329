import { describe, expect, it } from "vitest";
import { plainText } from "./plain-text.ts";

describe("plainText", () => {
  it.each([
    ["plain text, žluťoučký 😀", "plain text, žluťoučký 😀"],
    ["two\r\nlines", "two␍␊lines"],
    ["\u001b[31mred\u0007\u0000\t", "␛[31mred␇␀␉"],
    ["del\u007f c1\u009b", "del␡ c1�"],
    ["\u202eevil\u2066 \u2028\u2029 \u200f", "�evil� �� �"],
    ["lone \ud800 and \udfff", "lone � and �"],
    ["eyJhbGciOiJ", "[redacted]"],
  ])("given %j when it is made plain then it is %j", (text, expected) => {
    expect(plainText(text)).toBe(expected);
  });

  it("given a long text when it is made plain then it is cut, with a note of its length", () => {
    expect(plainText("a".repeat(10_240))).toBe(`${"a".repeat(1024)}… (10240 characters)`);
    expect(plainText("a".repeat(1024))).toBe("a".repeat(1024));
    const withToken = `eyJhbGciOiJIUzI1NiJ9.${"A".repeat(100)}. ${"a ".repeat(1000)}`;
    expect(plainText(withToken)).toMatch(new RegExp(`… \\(${withToken.length} characters\\)$`));
  });

  it("given a pair of surrogates at the cut when it is made plain then it is not split", () => {
    expect(plainText(`${"a".repeat(1023)}😀b`)).toBe(`${"a".repeat(1023)}… (1026 characters)`);
    expect(plainText(`${"a".repeat(1022)}😀b`)).toBe(`${"a".repeat(1022)}😀… (1025 characters)`);
  });

  it("given a token across the cut when it is made plain then no part of it is left", () => {
    const token = `eyJhbGciOiJIUzI1NiJ9.${"A".repeat(7000)}.${"B".repeat(43)}`;
    expect(plainText(`${" ".repeat(1010)}${token}`)).toBe(`${" ".repeat(1010)}[redacted]`.slice(0, 1024));
  });
});
