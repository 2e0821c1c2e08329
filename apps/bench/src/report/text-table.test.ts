import { describe, expect, it } from "vitest";
import { textTable } from "./text-table.ts";

describe("textTable", () => {
  it("given rows, when they are laid out, then columns are as wide as their widest cell", () => {
    const table = textTable(
      ["name", "n"],
      [
        ["a", "10"],
        ["longer", "5"],
      ],
    );
    expect(table.split("\n")).toEqual(["name     n", "──────  ──", "a       10", "longer   5"]);
  });
});
