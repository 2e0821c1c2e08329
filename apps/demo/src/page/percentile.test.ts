import { describe, expect, it } from "vitest";
import { percentile } from "./percentile.ts";

describe("percentile", () => {
  it.each([
    [[], 0.5, undefined],
    [[7], 0.99, 7],
    [[4, 1, 3, 2], 0.5, 2],
    [Array.from({ length: 100 }, (_, index) => 100 - index), 0.99, 99],
  ])("given %j when the %d part is asked for then it is %s", (values, part, found) => {
    expect(percentile(values, part)).toBe(found);
  });
});
