import { describe, expect, it } from "vitest";
import { seriesValue } from "./prometheus-text.ts";

const TEXT = `# HELP pm_a_total A
# TYPE pm_a_total counter
pm_a_total{code="1000"} 3
pm_a_total{code="4008"} 200
pm_ab 7.5
`;

describe("seriesValue", () => {
  it("given a page of metrics, when a series is looked up, then its value is found, and 0 for one that is not there", () => {
    expect(seriesValue(TEXT, 'pm_a_total{code="4008"}')).toBe(200);
    expect(seriesValue(TEXT, "pm_ab")).toBe(7.5);
    expect(seriesValue(TEXT, "pm_a")).toBe(0);
  });
});
