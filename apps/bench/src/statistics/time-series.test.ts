import { describe, expect, it } from "vitest";
import { TimeSeries } from "./time-series.ts";

describe("TimeSeries", () => {
  it("given events at different times, when it is read, then each is in its second, and seconds without any are there", () => {
    const series = new TimeSeries(1000);
    series.published(1000);
    series.published(1999);
    series.delivered(3500, 40);
    expect(series.points()).toEqual([
      { atSecs: 0, published: 2, delivered: 0, p50Us: 0, p99Us: 0 },
      { atSecs: 1, published: 0, delivered: 0, p50Us: 0, p99Us: 0 },
      { atSecs: 2, published: 0, delivered: 1, p50Us: 40, p99Us: 40 },
    ]);
  });
});
