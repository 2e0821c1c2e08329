import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { editDistance } from "./edit-distance.ts";

// Few letters, so that strings have much in common.
const word = fc.string({ unit: fc.constantFrom("A", "B", "C", "_"), maxLength: 12 });

describe("laws of the edit distance", () => {
  it("given two strings when they are compared then it is a metric", () => {
    fc.assert(
      fc.property(word, word, word, (a, b, c) => {
        expect(editDistance(a, a)).toBe(0);
        expect(editDistance(a, b) === 0).toBe(a === b);
        expect(editDistance(a, b)).toBe(editDistance(b, a));
        expect(editDistance(a, c)).toBeLessThanOrEqual(editDistance(a, b) + editDistance(b, c));
      }),
    );
  });

  it("given two strings when they are compared then it lies between the difference and the greater of their lengths", () => {
    fc.assert(
      fc.property(word, word, (a, b) => {
        const distance = editDistance(a, b);
        expect(distance).toBeGreaterThanOrEqual(Math.abs(a.length - b.length));
        expect(distance).toBeLessThanOrEqual(Math.max(a.length, b.length));
      }),
    );
  });

  it("given a string when one edit is made then it is at most one", () => {
    fc.assert(
      fc.property(word, fc.nat(), fc.constantFrom("A", "B", "Z"), (a, seed, letter) => {
        const at = seed % (a.length + 1);
        const [head, tail] = [a.slice(0, at), a.slice(at)];
        const swapped = tail.length < 2 ? tail : `${tail.charAt(1)}${tail.charAt(0)}${tail.slice(2)}`;
        for (const edited of [
          head + letter + tail,
          head + tail.slice(1),
          head + letter + tail.slice(1),
          head + swapped,
        ]) {
          expect(editDistance(a, edited)).toBeLessThanOrEqual(1);
        }
      }),
    );
  });

  it("given strings without common beginning or end when the same text is put around both then nothing changes", () => {
    fc.assert(
      fc.property(word, word, word, (a, b, around) => {
        expect(editDistance(around + a + around, around + b + around)).toBeLessThanOrEqual(editDistance(a, b));
      }),
    );
  });
});
