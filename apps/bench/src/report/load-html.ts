import type { LoadResults } from "../load/load-results.ts";
import { type Html, html, htmlPage, htmlTable, type Markup, raw } from "./html-page.ts";
import { COUNT_HEAD, countRows, LATENCY_HEAD, latencyRows, loadVerdicts } from "./load-rows.ts";
import { settingsText } from "./load-text.ts";
import { type ChartLine, lineChart } from "./svg-line-chart.ts";

const MAX_TIME_LABELS = 10;

/** The results as a page that can be opened without a network. */
export function loadHtml(results: LoadResults): string {
  const examples: Html =
    results.examples.length === 0
      ? html``
      : html`<h2>The first violations</h2>${results.examples.map((text) => raw(html`<pre>${text}</pre>`))}`;
  const body = html`${loadVerdicts(results).map((line) => raw(html`<p>${line}</p>`))}
<p class="note">${results.startedAt} – ${settingsText(results)}</p>
${raw(htmlTable(COUNT_HEAD, countRows(results)))}
<h2>Latency</h2>
${raw(htmlTable(LATENCY_HEAD, latencyRows(results)))}
${percentileChart(results)}
<h2>Over time</h2>
${timeCharts(results)}
${raw(examples)}`;
  return htmlPage("pm load", body);
}

/** Where a percentile is on an axis on which each further nine is as wide as the one before. */
function nines(percentile: number): number {
  return -Math.log10(1 - percentile / 100);
}

function percentileChart({ percentiles }: LoadResults): Markup {
  const shown = percentiles.filter(({ percentile }) => percentile < 100);
  return raw(
    lineChart({
      title: "Latency by percentile",
      lines: [
        {
          name: "publish to reader",
          points: shown.map(({ percentile, us }) => ({ x: nines(percentile), y: us / 1000 })),
        },
      ],
      xLabels: [0, 50, 90, 99, 99.9, 99.99].map((percentile) => ({ x: nines(percentile), text: `p${percentile}` })),
      yUnit: "ms",
    }),
  );
}

function timeCharts({ series }: LoadResults): Markup[] {
  const line = (name: string, pick: (point: LoadResults["series"][number]) => number): ChartLine => ({
    name,
    points: series.map((point) => ({ x: point.atSecs, y: pick(point) })),
  });
  const step = Math.max(1, Math.ceil(series.length / MAX_TIME_LABELS));
  const xLabels = series
    .filter(({ atSecs }) => atSecs % step === 0)
    .map(({ atSecs }) => ({ x: atSecs, text: `${atSecs} s` }));
  const charts = [
    {
      title: "Latency",
      lines: [line("p50", (one) => one.p50Us / 1000), line("p99", (one) => one.p99Us / 1000)],
      yUnit: "ms",
    },
    { title: "Deliveries", lines: [line("deliveries", ({ delivered }) => delivered)], yUnit: "/s" },
    { title: "Publications", lines: [line("publications", ({ published }) => published)], yUnit: "/s" },
  ];
  return charts.map((chart) => raw(lineChart({ ...chart, xLabels })));
}
