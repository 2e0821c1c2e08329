import { describe, expect, it } from "vitest";
import { editDistance } from "./edit-distance.ts";

describe("editDistance", () => {
  it.each([
    ["", "", 0],
    ["", "abc", 3],
    ["JWT_SECRET", "JWT_SECRET", 0],
    ["JWT_SECRT", "JWT_SECRET", 1],
    ["JWT_SERCET", "JWT_SECRET", 1],
    ["JTW_SERCET", "JWT_SECRET", 2],
    ["kitten", "sitting", 3],
    // Edits between swapped characters: without them it would be 3.
    ["ca", "abc", 2],
    ["a cat", "an abct", 3],
  ])("given %j and %j when they are compared then it is %i", (a, b, distance) => {
    expect(editDistance(a, b)).toBe(distance);
  });
});
