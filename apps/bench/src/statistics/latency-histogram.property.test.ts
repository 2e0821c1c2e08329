import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { LatencyHistogram } from "./latency-histogram.ts";

const latencies = fc.array(fc.nat({ max: 2 ** 38 }), { minLength: 1, maxLength: 200 });

function filled(values: readonly number[]): LatencyHistogram {
  const histogram = new LatencyHistogram();
  for (const value of values) histogram.record(value);
  return histogram;
}

describe("LatencyHistogram", () => {
  it("given any latencies, when a quantile is asked for, then it is at most 1.6 % above the exact one", () => {
    fc.assert(
      fc.property(latencies, fc.double({ min: 0, max: 1, noNaN: true }), (values, q) => {
        const exact = values.toSorted((a, b) => a - b)[Math.max(1, Math.ceil(values.length * q)) - 1] ?? 0;
        const estimate = filled(values).quantile(q);
        expect(estimate).toBeGreaterThanOrEqual(exact);
        expect(estimate).toBeLessThanOrEqual(exact * (1 + 1 / 64));
      }),
    );
  });

  it("given nothing, or clocks that went back, when it is summed up, then everything is 0", () => {
    expect(new LatencyHistogram().summary()).toMatchObject({ count: 0, p50Us: 0, p99Us: 0, maxUs: 0 });
    expect(filled([-5]).summary()).toMatchObject({ count: 1, p99Us: 0, maxUs: 0 });
  });
});
