import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { misspeltNames } from "./misspelt-names.ts";
import { SETTINGS } from "./settings.ts";

const KNOWN = Object.values(SETTINGS).map(({ name }) => name);
const LONG = KNOWN.filter((name) => name.length >= 10);
const letter = fc.constantFrom(...Array.from("ABCDEFGHIJKLMNOPQRSTUVWXYZ_"));

/** One insertion, deletion, replacement or swap. */
const edit = fc.record({ kind: fc.constantFrom("insert", "delete", "replace", "swap"), at: fc.nat(), letter });

type Edit = typeof edit extends fc.Arbitrary<infer T> ? T : never;

function apply(name: string, { kind, at, letter: by }: Edit): string {
  const i = at % name.length;
  const [head, here, next, tail] = [name.slice(0, i), name.charAt(i), name.charAt(i + 1), name.slice(i + 2)];
  if (kind === "insert") return `${head}${by}${here}${next}${tail}`;
  if (kind === "delete") return `${head}${next}${tail}`;
  return kind === "replace" ? `${head}${by}${next}${tail}` : `${head}${next}${here}${tail}`;
}

describe("laws of misspelt names", () => {
  it("given a long setting with one or two edits when it is looked at then a known name is told, unless it is one", () => {
    fc.assert(
      fc.property(fc.constantFrom(...LONG), fc.array(edit, { minLength: 1, maxLength: 2 }), (name, edits) => {
        const given = edits.reduce(apply, name);
        const [found] = misspeltNames([given], KNOWN);
        if (KNOWN.includes(given)) expect(found).toBeUndefined();
        else expect(KNOWN).toContain(found?.meant);
      }),
    );
  });

  it("given any name when it is looked at then what was meant is within two letters of its length", () => {
    fc.assert(
      fc.property(fc.string({ unit: letter, maxLength: 30 }), (given) => {
        for (const { meant } of misspeltNames([given], KNOWN)) {
          expect(Math.abs(meant.length - given.length)).toBeLessThanOrEqual(2);
        }
      }),
    );
  });
});
