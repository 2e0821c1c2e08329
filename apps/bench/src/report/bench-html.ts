import type { BenchResults } from "../bench/bench-results.ts";
import {
  DETAIL_HEAD,
  detailRows,
  FIGURE_HEAD,
  figureRows,
  MARK_LEGEND,
  RATIO_HEAD,
  ratioRow,
  SERVER_NAMES,
} from "./bench-rows.ts";
import { costCaption, machineText, verdictText } from "./bench-text.ts";
import { type Html, html, htmlPage, htmlTable, raw } from "./html-page.ts";
import { faultsIn, summarize } from "./summary.ts";
import { ratioChart } from "./svg-ratio-chart.ts";

const METHOD: readonly string[] = [
  "A fresh server process for every run; the servers in turn, in another order each round; ratios within a round, and of those the median.",
  "CPU is user and system time of all threads of the server as the kernel accounts for it, over the messages delivered in the same time.",
  "Same payloads, same counting by the same generator for all servers. It speaks WebSocket frames over raw sockets in a thread of its own, away from the server's core.",
  "pm verifies a token for each connection, checks limits and quotas for each message, validates it, keeps it in a log and counts it for the metrics. The others do none of that.",
  "Latencies of closed loops say how long what was outstanding took to get through; they are not comparable between servers of different throughput.",
];

/** The results as a page that can be opened without a network. */
export function benchHtml(results: BenchResults): string {
  const faults = faultsIn(results);
  const body = html`<p>${verdictText(results)}</p>
<p class="note">${results.startedAt} – ${machineText(results.machine)}</p>
${raw(comparisonPart(results))}
${raw(behaviourPart(results))}
${raw(faults.length === 0 ? html`` : html`<h2>Faults</h2>${raw(list(faults))}`)}
<h2>Method</h2>
${raw(list(METHOD))}`;
  return htmlPage("pm bench", body);
}

function comparisonPart(results: BenchResults): Html {
  if (results.comparisons.length === 0) return html``;
  const summaries = results.comparisons.map(summarize);
  const lines = summaries.map(({ results: { name, target }, servers }) => ({
    label: name,
    values: [servers.pm.ratio, servers["socket.io"].ratio],
    target,
  }));
  const titles = results.comparisons.map(({ name, title }) => `${name}: ${title}`);
  return html`<h2>Cost beside a plain ws broadcast server</h2>
<p class="note">${costCaption(results)}. Further to the left is cheaper; at 1 it costs what plain ws costs.</p>
${raw(ratioChart([SERVER_NAMES.pm, SERVER_NAMES["socket.io"]], lines))}
${raw(htmlTable(RATIO_HEAD, summaries.map(ratioRow)))}
${raw(list(titles))}
<h2>Throughput and latency</h2>
${raw(htmlTable(DETAIL_HEAD, summaries.flatMap(detailRows)))}
${raw(list(MARK_LEGEND))}`;
}

function behaviourPart(results: BenchResults): Html {
  if (results.behaviours.length === 0) return html``;
  const rows = results.behaviours.flatMap(({ name, outcome }) => figureRows(name, outcome));
  const titles = results.behaviours.map(({ name, title }) => `${name}: ${title}`);
  return html`<h2>Behaviour of pm</h2>
${raw(htmlTable(FIGURE_HEAD, rows))}
${raw(list(titles))}`;
}

function list(lines: readonly string[]): Html {
  return html`<ul>${lines.map((line) => raw(html`<li>${line}</li>\n`))}</ul>`;
}
