import { describe, expect, it } from "vitest";
import { html, htmlPage, htmlTable, raw } from "./html-page.ts";
import { lineChart, niceCeiling } from "./svg-line-chart.ts";
import { ratioChart } from "./svg-ratio-chart.ts";

describe("html", () => {
  it("given text with marks of HTML, when it is put into a template, then it is text", () => {
    expect(html`<p>${`<b>"&'`}</p>${raw(html`<i>${1}</i>`)}${["<", ">"]}`).toBe(
      "<p>&lt;b&gt;&quot;&amp;&#39;</p><i>1</i>&lt;&gt;",
    );
  });

  it("given a page, when it is written, then nothing in it comes from elsewhere", () => {
    const page = htmlPage("t", htmlTable(["a", ""], [["x", "missed"]]));
    expect(page).toContain('<td class="missed">missed</td>');
    expect(page).not.toMatch(/src=|href=|https?:|@import|url\(/);
  });
});

describe("charts", () => {
  it("given ratios, when they are drawn, then 1 is between 0.1 and 10, and what is no number is left out", () => {
    const chart = ratioChart(["pm"], [{ label: "a", values: [0.1, 1, 10, Number.NaN], target: 1 }]);
    const xs = [...chart.matchAll(/<circle cx="(?<x>[\d.]+)" cy="49"/g)].map(({ groups }) => Number(groups?.["x"]));
    expect(xs).toHaveLength(3);
    expect((xs[0] ?? 0) + (xs[2] ?? 0)).toBeCloseTo(2 * (xs[1] ?? 0), 0);
  });

  it("given a ratio without a target, when it is drawn, then it has its dot and no mark", () => {
    const chart = ratioChart(["pm"], [{ label: "a", values: [2] }]);
    expect(chart).toContain('cy="49"');
    expect(chart.match(/class="target"/g)).toHaveLength(1);
  });

  it("given points, when a line is drawn, then the largest value is below the top of the axis", () => {
    const chart = lineChart({
      title: "t",
      lines: [
        {
          name: "n",
          points: [
            { x: 0, y: 0 },
            { x: 2, y: 8 },
          ],
        },
      ],
      xLabels: [{ x: 0, text: "0 s" }],
      yUnit: "ms",
    });
    expect(chart).toContain("10 ms");
    expect(chart).toContain('points="124,232 860,73.6"');
  });

  it("given values, when an axis is made for them, then it ends at a round number", () => {
    expect([0, 0.3, 1, 8, 12, 1999].map(niceCeiling)).toEqual([1, 0.5, 1, 10, 20, 2000]);
  });
});
