import { describe, expect, it } from "vitest";
import { SeededRandom } from "./seeded-random.ts";

describe("SeededRandom", () => {
  it("given two with one seed, when numbers are drawn, then they are the same and below 1", () => {
    const [a, b] = [new SeededRandom(7), new SeededRandom(7)];
    const drawn = Array.from({ length: 1000 }, () => a.next());
    expect(drawn).toEqual(Array.from({ length: 1000 }, () => b.next()));
    expect(drawn.every((number) => number >= 0 && number < 1)).toBe(true);
    expect(new Set(drawn).size).toBe(1000);
  });

  it("given shares of 0, ½ and 1, when chances are taken, then they come true as often as they say", () => {
    const random = new SeededRandom(1);
    const taken = (share: number): number =>
      Array.from({ length: 1000 }, () => random.chance(share)).filter(Boolean).length;
    expect(taken(0)).toBe(0);
    expect(taken(1)).toBe(1000);
    expect(Math.abs(taken(0.5) - 500)).toBeLessThan(80);
  });

  it("given a few choices, when many are picked, then each is picked", () => {
    const random = new SeededRandom(3);
    expect(new Set(Array.from({ length: 100 }, () => random.pick(["a", "b", "c"])))).toEqual(new Set(["a", "b", "c"]));
  });
});
