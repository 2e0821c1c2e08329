import type { LoadResults } from "../load/load-results.ts";
import { COUNT_HEAD, countRows, LATENCY_HEAD, latencyRows, loadVerdicts } from "./load-rows.ts";
import { percent, plain, plural } from "./quantity.ts";
import { textTable } from "./text-table.ts";

/** The results as text for a terminal. */
export function loadText(results: LoadResults): string {
  const parts = [
    settingsText(results),
    textTable(COUNT_HEAD, countRows(results)),
    textTable(LATENCY_HEAD, latencyRows(results)),
    ...(results.examples.length === 0 ? [] : [["The first violations:", ...results.examples].join("\n")]),
    loadVerdicts(results).join("\n"),
  ];
  return `\n${parts.join("\n\n")}\n`;
}

/** What was done, in a line. */
export function settingsText({ url, seconds, settings, toolBusy }: LoadResults): string {
  const { subscribers, publishers, idle, channels, ratePerSec, payloadBytes } = settings;
  const clients = `${plural(subscribers, "reader")}, ${plural(publishers, "publisher")}, ${plain(idle)} idle, ${plural(channels, "channel")}`;
  return `${url}: ${clients}; ${ratePerSec} publications/s of ${payloadBytes} bytes for ${plain(seconds)} s; this tool was busy for ${percent(toolBusy)}`;
}
