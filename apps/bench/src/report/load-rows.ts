import { keptPromises, type LoadResults } from "../load/load-results.ts";
import type { LatencySummary } from "../statistics/latency-histogram.ts";
import { latency, percent, plain, rate } from "./quantity.ts";

// The cells of the tables, the same on a terminal and in a page.

/** Above this the tool itself is what is measured. */
const TOO_BUSY = 0.8;

/** Head of the table of latencies. */
export const LATENCY_HEAD: readonly string[] = ["latency", "count", "p50", "p90", "p99", "p99.9", "max"];

/** Rows of the table of latencies. */
export function latencyRows({ delivery, acknowledgement }: LoadResults): string[][] {
  return [latencyRow("publish to reader", delivery), latencyRow("publish to acknowledgement", acknowledgement)];
}

/** Head of the table of counts. */
export const COUNT_HEAD: readonly string[] = ["what", "how many"];

/** Rows of the table of counts. */
export function countRows(results: LoadResults): string[][] {
  const { published, delivered, expected, seconds, cuts } = results;
  const rows: string[][] = [
    ["published", `${plain(published.sent)} (${rate(published.sent / seconds)})`],
    ["acknowledged", plain(published.acknowledged)],
    ...Object.entries(published.refused).map(([code, count]) => [`refused: ${code}`, plain(count)]),
    ["delivered", `${plain(delivered)} (${rate(delivered / seconds)})`],
    ["acknowledged, not delivered", plain(Math.max(0, expected - delivered))],
    ["readers cut off on purpose", plain(cuts)],
  ];
  if (published.unknown > 0) rows.push(["published, outcome unknown", plain(published.unknown)]);
  for (const [code, count] of Object.entries(results.closes)) rows.push([`closed with ${code}`, plain(count)]);
  for (const [kind, count] of Object.entries(results.violations)) rows.push([`violations: ${kind}`, plain(count)]);
  return rows;
}

/** What to make of it, a line each. */
export function loadVerdicts(results: LoadResults): string[] {
  const { toolBusy, published, expected, delivered } = results;
  const lines = [promiseVerdict(results)];
  if (keptPromises(results) && expected > delivered) {
    lines.push(
      "Some readers missed publications and were told how many: retention is too short for how slow they are, or how long they were away.",
    );
  }
  if (toolBusy > TOO_BUSY) {
    lines.push(
      `This tool was busy for ${percent(toolBusy)} of the time: latencies are its own. Use fewer readers, or several tools.`,
    );
  }
  if (published.refused["RATE_LIMIT_EXCEEDED"] !== undefined) {
    lines.push("The server refused publications over its rate: use more publishers, or raise RATE_LIMIT_REQUESTS.");
  }
  return lines;
}

function promiseVerdict(results: LoadResults): string {
  if (!keptPromises(results)) return "Promises were broken: see the violations.";
  if (results.published.acknowledged === 0)
    return "Nothing was published, so nothing is shown. Use a longer --duration or a higher --rate.";
  return "Nothing was lost, doubled or out of order without a word: every reader has what it was promised.";
}

function latencyRow(name: string, { count, p50Us, p90Us, p99Us, p999Us, maxUs }: LatencySummary): string[] {
  return [
    name,
    plain(count),
    ...[p50Us, p90Us, p99Us, p999Us, maxUs].map((us) => latency(count === 0 ? Number.NaN : us)),
  ];
}
