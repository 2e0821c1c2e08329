import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { GRANT_ACTIONS, type Grant, isGranted, matchesPattern } from "../src/grant.ts";
import { anyString } from "./any-string.ts";

/** The same meaning, said by a regular expression that is compared on short input only. */
function matchesByRegExp(pattern: string, name: string): boolean {
  const escaped = pattern.split("*").map((part) => part.replaceAll(/[\\^$.*+?()[\]{}|/-]/g, "\\$&"));
  return new RegExp(`^${escaped.join("[\\s\\S]*")}$`).test(name);
}

/** Few letters, so that patterns often nearly match. */
const shortPattern = fc.string({ unit: fc.constantFrom("a", "b", ":", "*"), maxLength: 8 });
const shortName = fc.string({ unit: fc.constantFrom("a", "b", ":", "*"), maxLength: 10 });

describe("matchesPattern", () => {
  it("given a pattern and a name, when they are matched, then the answer is that of the regular expression", () => {
    fc.assert(
      fc.property(shortPattern, shortName, (pattern, name) => {
        expect(matchesPattern(pattern, name)).toBe(matchesByRegExp(pattern, name));
      }),
    );
  });

  it("given any strings at all, when they are matched, then the answer is that of the regular expression", () => {
    fc.assert(
      fc.property(anyString(8), anyString(8), (pattern, name) => {
        expect(matchesPattern(pattern, name)).toBe(matchesByRegExp(pattern, name));
      }),
    );
  });

  it("given a name with runs of it replaced by stars, when they are matched, then it matches", () => {
    const parts = fc.array(fc.tuple(anyString(4), fc.boolean()), { maxLength: 6 });
    fc.assert(
      fc.property(parts, (runs) => {
        const name = runs.map(([text]) => text).join("");
        const pattern = runs.map(([text, starred]) => (starred ? "*" : text)).join("");
        expect(matchesPattern(pattern, name)).toBe(true);
      }),
    );
  });
});

describe("isGranted", () => {
  const grant: fc.Arbitrary<Grant> = fc.record({
    pattern: shortPattern,
    allow: fc.subarray([...GRANT_ACTIONS]),
  });

  it("given grants, when an action is allowed by the list, then one grant of it allows it alone", () => {
    fc.assert(
      fc.property(fc.array(grant), fc.constantFrom(...GRANT_ACTIONS), shortName, (grants, action, name) => {
        const alone = grants.filter((one) => isGranted([one], action, name));
        expect(isGranted(grants, action, name)).toBe(alone.length > 0);
        for (const one of alone) expect(one.allow).toContain(action);
      }),
    );
  });
});
