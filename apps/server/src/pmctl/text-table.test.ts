import { describe, expect, it } from "vitest";
import { textTable } from "./text-table.ts";

describe("textTable", () => {
  it("given rows, when they are lines, then columns begin at the same place and no line ends with blanks", () => {
    expect(
      textTable([
        ["A", "BB", ""],
        ["aaaa", "b", "c"],
        ["a", "", ""],
      ]),
    ).toEqual(["A     BB", "aaaa  b   c", "a"]);
  });

  it("given a very wide cell, when rows are lines, then the others are not moved as far", () => {
    const [, wide, narrow] = textTable([
      ["A", "B"],
      ["w".repeat(100), "b"],
      ["n", "b"],
    ]);
    expect([wide, narrow]).toEqual([`${"w".repeat(100)}  b`, `n${" ".repeat(61)}b`]);
  });

  it("given control characters, when rows are lines, then each row stays one line", () => {
    expect(textTable([["a\nb", "c"]])).toEqual(["a␊b  c"]);
  });
});
