import { describe, expect, it } from "vitest";
import { latency, percent, plain, plural, rate } from "./quantity.ts";

describe("numbers for people", () => {
  it("given numbers of any size, when they are written, then three digits are left, and large ones are grouped", () => {
    expect([0.04567, 6.309, 10, 143.4, 18_469].map(plain)).toEqual(["0.0457", "6.31", "10", "143", "18\u00A0469"]);
    expect(plain(Number.NaN)).toBe("–");
  });

  it("given rates, latencies and shares, when they are written, then they have a unit that fits", () => {
    expect([900, 143_200, 1_890_000].map(rate)).toEqual(["900/s", "143 k/s", "1.89 M/s"]);
    expect([870, 12_345].map(latency)).toEqual(["870 µs", "12.3 ms"]);
    expect([0.974, Number.NaN].map(percent)).toEqual(["97 %", "–"]);
  });

  it("given counts, when they are written with what is counted, then one is in the singular", () => {
    expect([0, 1, 2, 1200].map((count) => plural(count, "reader"))).toEqual([
      "0 readers",
      "1 reader",
      "2 readers",
      "1\u00A0200 readers",
    ]);
  });
});
