import { basename, dirname, resolve } from "node:path";
import { NameError } from "@pm/core";
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { tenantFolder } from "./tenant-folder.ts";

const tenantId = fc.stringMatching(/^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$/);
/** Ids that differ in the case of some letters only, or in nothing. */
const sameLetters = tenantId.chain((id) =>
  fc
    .tuple(fc.constant(id), fc.array(fc.boolean(), { minLength: id.length, maxLength: id.length }))
    .map(([one, flips]): [string, string] => [
      one,
      Array.from(one)
        .map((char, at) => (flips[at] ? flipCase(char) : char))
        .join(""),
    ]),
);

function flipCase(char: string): string {
  return char === char.toLowerCase() ? char.toUpperCase() : char.toLowerCase();
}

describe("tenantFolder", () => {
  it("given two ids, when their folders are named, then the names are the same, case ignored, only for the same id", () => {
    fc.assert(
      fc.property(fc.oneof(sameLetters, fc.tuple(tenantId, tenantId)), ([one, other]) => {
        const isSameFolder = tenantFolder(one).toLowerCase() === tenantFolder(other).toLowerCase();
        expect(isSameFolder).toBe(one === other);
      }),
    );
  });

  it("given a folder name, when it is read back, then it gives the id", () => {
    fc.assert(
      fc.property(tenantId, (id) => {
        expect(idOf(tenantFolder(id))).toBe(id);
      }),
    );
  });

  it("given any string, when a folder is named after it, then it is one plain folder inside, or refused", () => {
    const hostile = fc
      .array(fc.constantFrom(".", "..", "/", "\\", "\0", "a", "A", "+", "-", "%2e", "~", "con", "\n"))
      .map((parts) => parts.join(""));
    fc.assert(
      fc.property(fc.oneof(fc.string({ unit: "binary" }), hostile, tenantId), (text) => {
        const folder = folderOrRefusal(text);
        if (folder === undefined) return;
        const path = resolve("/data/tenants", folder, "main.db");
        expect(dirname(dirname(path))).toBe("/data/tenants");
        expect(basename(dirname(path))).toBe(folder);
        expect(folder).toMatch(/^[a-z0-9][a-z0-9._-]{0,127}(\+[1-9a-f][0-9a-f]{0,31})?$/);
      }),
    );
  });
});

function folderOrRefusal(text: string): string | undefined {
  try {
    return tenantFolder(text);
  } catch (error) {
    expect(error).toBeInstanceOf(NameError);
    return undefined;
  }
}

function idOf(folder: string): string {
  const [letters = "", places = "0"] = folder.split("+");
  const bits = BigInt(`0x${places}`);
  return Array.from(letters)
    .map((char, at) => ((bits >> BigInt(at)) & 1n ? char.toUpperCase() : char))
    .join("");
}
