import { describe, expect, it } from "vitest";
import { type Grant, isGranted, matchesPattern } from "./grant.ts";

describe("matchesPattern", () => {
  it.each([
    ["project:*", "project:42", true],
    ["project:*", "project:", true],
    ["project:*", "project", false],
    ["*", "", true],
    ["*", "anything", true],
    ["", "", true],
    ["", "a", false],
    ["a*b*c", "aXbYc", true],
    ["a*b*c", "abc", true],
    ["a*b*c", "acb", false],
    ["*:read", "a:b:read", true],
    ["*:read", "a:read:b", false],
    ["a**b", "ab", true],
    ["project:42", "project:42", true],
    ["project:42", "Project:42", false],
    ["project:42", "project:421", false],
    [".", "a", false],
    ["[a-z]", "b", false],
  ])("given the pattern %j and the name %j, when they are matched, then the answer is %j", (pattern, name, matches) => {
    expect(matchesPattern(pattern, name)).toBe(matches);
  });

  it.each([
    ["many stars", "*a".repeat(4000), "a".repeat(200)],
    ["many stars and no match at the end", `${"*a".repeat(4000)}b`, "a".repeat(200)],
    ["only stars", "*".repeat(8000), "a".repeat(200)],
    ["a part that nearly fits everywhere", `*${"a".repeat(100)}b`, "a".repeat(200)],
    ["several such parts", `*${"a".repeat(60)}b*${"a".repeat(60)}b*`, "a".repeat(200)],
  ])(
    "given a hostile pattern with %s, when it is matched, then steps stay below the product of the lengths",
    (_, pattern, name) => {
      const counted = countingReads(pattern);
      matchesPattern(counted.text, name);
      expect(counted.reads()).toBeLessThanOrEqual(2 * (pattern.length + 1) * (name.length + 1));
    },
  );
});

/** A stand-in for a string that counts how often a unit of it is read. */
function countingReads(text: string): { text: string; reads: () => number } {
  let reads = 0;
  const proxy = new Proxy(Object(text) as object, {
    get(_, key) {
      if (key === "length") return text.length;
      reads++;
      return text[Number(key)];
    },
  });
  return { text: proxy as unknown as string, reads: () => reads };
}

describe("isGranted", () => {
  const grants: Grant[] = [
    { pattern: "project:*", allow: ["subscribe", "history"] },
    { pattern: "project:42", allow: ["publish"] },
    { pattern: "*", allow: [] },
  ];

  it.each([
    ["subscribe", "project:7", true],
    ["publish", "project:7", false],
    ["publish", "project:42", true],
    ["subscribe", "chat:1", false],
  ] as const)("given grants, when %s on %j is asked, then the answer is %j", (action, channel, granted) => {
    expect(isGranted(grants, action, channel)).toBe(granted);
  });

  it("given no grants, when anything is asked, then it is denied", () => {
    expect(isGranted([], "subscribe", "project:7")).toBe(false);
  });
});
