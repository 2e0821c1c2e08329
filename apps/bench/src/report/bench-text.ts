import type { BenchResults } from "../bench/bench-results.ts";
import type { Machine } from "../process/machine.ts";
import { DETAIL_HEAD, detailRows, FIGURE_HEAD, figureRows, MARK_LEGEND, RATIO_HEAD, ratioRow } from "./bench-rows.ts";
import { plain } from "./quantity.ts";
import { disturbances, faultsIn, missedTargets, summarize } from "./summary.ts";
import { textTable } from "./text-table.ts";

/** The results as text for a terminal. */
export function benchText(results: BenchResults): string {
  const summaries = results.comparisons.map(summarize);
  const parts = [machineText(results.machine)];
  if (summaries.length > 0) {
    parts.push(
      `${costCaption(results)}\n${textTable(RATIO_HEAD, summaries.map(ratioRow))}`,
      textTable(DETAIL_HEAD, summaries.flatMap(detailRows)),
      MARK_LEGEND.join("\n"),
    );
  }
  if (results.behaviours.length > 0) {
    const rows = results.behaviours.flatMap(({ name, outcome }) => figureRows(name, outcome));
    parts.push(textTable(FIGURE_HEAD, rows));
  }
  const faults = faultsIn(results);
  if (faults.length > 0) parts.push(["Faults:", ...faults].join("\n"));
  return `\n${[...parts, verdictText(results)].join("\n\n")}\n`;
}

/** What the first columns count. */
export function costCaption({ size, comparisons }: BenchResults): string {
  const rounds = comparisons[0]?.rounds.length ?? 0;
  const units = "CPU microseconds of the server a message or handshake, bytes of its memory an idle connection";
  return `${units}; median of ${rounds} round${rounds === 1 ? "" : "s"}, size ${size}`;
}

/** Where it was measured, and what to keep in mind about it. */
export function machineText({ cpu, cores, memoryGiB, kernel, node, pinning, loadBefore }: Machine): string {
  const place =
    pinning === undefined
      ? "server and generator share all cores"
      : `server on core ${pinning.serverCpu}, generator on ${pinning.generatorCpus.join(", ")}`;
  return `${cpu}, ${cores} cores, ${memoryGiB} GiB, Linux ${kernel}, Node ${node}; ${place}; load ${plain(loadBefore)} at the start`;
}

/** Which targets were missed, and whether that means anything. */
export function verdictText(results: BenchResults): string {
  const missed = missedTargets(results);
  const verdict = missed.length === 0 ? "All targets were met." : `Targets missed: ${missed.join(", ")}.`;
  const { disturbed, all } = disturbances(results);
  if (disturbed === 0) return verdict;
  return `${verdict} In ${disturbed} of ${all} measurements something else wanted the server's core: do not rely on them.`;
}
