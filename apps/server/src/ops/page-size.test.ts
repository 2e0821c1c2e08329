import { describe, expect, it } from "vitest";
import { pageSizeOf } from "./page-size.ts";

describe("pageSizeOf", () => {
  it.each([
    [0, 100],
    [1, 1],
    [1000, 1000],
  ])("given %d, when it is read, then a page has %d", (asked, size) => {
    expect(pageSizeOf(asked)).toBe(size);
  });

  it.each([-1, 1001, 1.5, Number.NaN, Number.POSITIVE_INFINITY])(
    "given %d, when it is read, then it is refused",
    (asked) => {
      expect(() => pageSizeOf(asked)).toThrow(expect.objectContaining({ field: "page_size" }));
    },
  );
});
