import type { Outcome } from "../bench/bench-results.ts";
import { SERVER_KINDS, type ServerKind } from "../dialect/dialect.ts";
import type { BehaviourResult, Figure } from "../profile/behaviour.ts";
import { latency, percent, plain, rate } from "./quantity.ts";
import type { ComparisonSummary, Mark, ServerSummary } from "./summary.ts";

// The cells of the tables, the same on a terminal and in a page.

/** What the servers are called in reports. */
export const SERVER_NAMES: Readonly<Record<ServerKind, string>> = {
  ws: "plain ws",
  "socket.io": "Socket.IO",
  pm: "pm",
};

const MARKS: Readonly<Record<Mark, string>> = { "generator-bound": "*", disturbed: "!", faulty: "?" };

/** What the marks mean. */
export const MARK_LEGEND: readonly string[] = [
  "* the generator was busy all the time and the server was not: the throughput is the generator's, the cost holds good",
  "! something else wanted the server's core for more than a tenth of the time: measure again on a quiet machine",
  "? messages were lost, came out of order, or connections were closed: see the faults",
];

/** Head of the table of ratios: what counts comes first, since a narrow screen shows no more. */
export const RATIO_HEAD: readonly string[] = [
  "profile",
  "pm/ws",
  "target",
  "",
  "±",
  "Socket.IO/ws",
  "plain ws",
  "Socket.IO",
  "pm",
];

/** A row of the table of ratios. */
export function ratioRow({ results, servers, isMet }: ComparisonSummary): string[] {
  const cost = (kind: ServerKind): string => plain(servers[kind].cost) + marks(servers[kind]);
  return [
    results.name,
    plain(servers.pm.ratio),
    ...(results.target === undefined ? ["", ""] : [plain(results.target), isMet ? "met" : "missed"]),
    results.rounds.length > 1 ? percent(servers.pm.ratioSpread / 2) : "",
    plain(servers["socket.io"].ratio),
    cost("ws"),
    cost("socket.io"),
    cost("pm"),
  ];
}

/** Head of the table of throughput and latency. */
export const DETAIL_HEAD: readonly string[] = [
  "profile",
  "server",
  "rate",
  "p50",
  "p99",
  "server busy",
  "generator busy",
];

/** Rows of the table of throughput and latency, one a server. */
export function detailRows({ results, servers }: ComparisonSummary): string[][] {
  return SERVER_KINDS.map((kind) => {
    const { perSec, p50Us, p99Us, serverBusy, generatorBusy } = servers[kind];
    const mark = marks(servers[kind]);
    return [
      results.name,
      SERVER_NAMES[kind] + mark,
      rate(perSec),
      latency(p50Us),
      latency(p99Us),
      percent(serverBusy),
      percent(generatorBusy),
    ];
  });
}

/** Head of the table of behaviours. */
export const FIGURE_HEAD: readonly string[] = ["profile", "figure", "value", "at most", ""];

/** Rows of the table of behaviours, one a figure. */
export function figureRows(name: string, outcome: Outcome<BehaviourResult>): string[][] {
  if (outcome.kind === "failed") return [[name, "failed", "–", "", "missed"]];
  return outcome.value.figures.map((figure) => [
    name,
    figure.label,
    figureText(figure, figure.value),
    figure.target === undefined ? "" : figureText(figure, figure.target),
    verdict(figure),
  ]);
}

function verdict({ value, target }: Figure): string {
  if (target === undefined) return "";
  return value <= target ? "met" : "missed";
}

function figureText({ unit }: Figure, value: number): string {
  return unit === "ratio" ? plain(value) : `${plain(value)} ${unit}`;
}

function marks({ marks: all }: ServerSummary): string {
  return all.map((mark) => MARKS[mark]).join("");
}
