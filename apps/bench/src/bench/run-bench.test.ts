import { describe, expect, it } from "vitest";
import { rotated } from "./run-bench.ts";

describe("rotated", () => {
  it("given rounds, when servers take turns, then each is first once", () => {
    const firsts = [0, 1, 2, 3].map((round) => rotated(["a", "b", "c"], round).join(""));
    expect(firsts).toEqual(["abc", "bca", "cab", "abc"]);
  });
});
