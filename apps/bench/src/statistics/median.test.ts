import { describe, expect, it } from "vitest";
import { median, spread } from "./median.ts";

describe("median", () => {
  it("given numbers in any order, when the middle is asked for, then it is the middle, or between the two", () => {
    expect(median([3, 1, 2])).toBe(2);
    expect(median([10, 2, 4, 3])).toBe(3.5);
    expect(median([7])).toBe(7);
    expect(median([])).toBeNaN();
  });
});

describe("spread", () => {
  it("given numbers, when their spread is asked for, then it is a share of their median", () => {
    expect(spread([90, 100, 110])).toBeCloseTo(0.2);
    expect(spread([5])).toBe(0);
  });
});
