import type { BenchResults, ComparisonResults, Outcome } from "../bench/bench-results.ts";
import { SERVER_KINDS, type ServerKind } from "../dialect/dialect.ts";
import { isDisturbed, isGeneratorBound, type Measurement } from "../profile/measurement.ts";
import { median, spread } from "../statistics/median.ts";

/** What a server has shown over all rounds of a comparison; medians, NaN where no round succeeded. */
export interface ServerSummary {
  readonly cost: number;
  /** Of its cost to that of the plain ws server, in the same round. */
  readonly ratio: number;
  /** How far the ratios of the rounds are apart, as a share. */
  readonly ratioSpread: number;
  readonly perSec: number;
  readonly serverBusy: number;
  readonly generatorBusy: number;
  readonly p50Us: number;
  readonly p99Us: number;
  readonly marks: readonly Mark[];
}

/**
 * `generator-bound`: the throughput is the generator's. `disturbed`: others had the server's core. `faulty`: see the
 * faults.
 */
export type Mark = "generator-bound" | "disturbed" | "faulty";

/** A comparison over all rounds. */
export interface ComparisonSummary {
  readonly results: ComparisonResults;
  readonly servers: Readonly<Record<ServerKind, ServerSummary>>;
  readonly isMet: boolean;
}

/** Brings the rounds of a comparison together. */
export function summarize(results: ComparisonResults): ComparisonSummary {
  const servers = Object.fromEntries(SERVER_KINDS.map((kind) => [kind, summaryOf(results, kind)])) as Record<
    ServerKind,
    ServerSummary
  >;
  return { results, servers, isMet: results.target === undefined || servers.pm.ratio <= results.target };
}

/** Everything that went wrong, a line each. */
export function faultsIn(results: BenchResults): string[] {
  const faults: string[] = [];
  for (const { name, rounds } of results.comparisons) {
    for (const [index, round] of rounds.entries()) {
      for (const kind of SERVER_KINDS) {
        const where = `${name}, ${kind}, round ${index + 1}`;
        for (const fault of faultsOf(round[kind])) faults.push(`${where}: ${fault}`);
      }
    }
  }
  for (const { name, outcome } of results.behaviours) {
    for (const fault of faultsOf(outcome)) faults.push(`${name}: ${fault}`);
  }
  return faults;
}

/** True when a run could not be made at all. */
export function hasFailures(results: BenchResults): boolean {
  const outcomes: Outcome<unknown>[] = results.behaviours.map(({ outcome }) => outcome);
  for (const { rounds } of results.comparisons) for (const round of rounds) outcomes.push(...Object.values(round));
  return outcomes.some(({ kind }) => kind === "failed");
}

/** Names of the profiles whose targets were missed. */
export function missedTargets(results: BenchResults): string[] {
  const missed = results.comparisons.map(summarize).filter(({ isMet }) => !isMet);
  const names = missed.map(({ results: { name } }) => name);
  for (const { name, outcome } of results.behaviours) {
    if (outcome.kind === "failed") names.push(name);
    else if (outcome.value.figures.some(({ value, target }) => target !== undefined && !(value <= target)))
      names.push(name);
  }
  return names;
}

/** How many measurements of comparisons there are, and how many of them were disturbed. */
export function disturbances({ comparisons }: BenchResults): { readonly disturbed: number; readonly all: number } {
  const measured = comparisons
    .flatMap(({ rounds }) => rounds.flatMap((round) => SERVER_KINDS.map((kind) => measuredIn(round[kind]))))
    .filter((one) => one !== undefined);
  return { disturbed: measured.filter(isDisturbed).length, all: measured.length };
}

function faultsOf(outcome: Outcome<{ readonly faults: readonly string[] }> | undefined): readonly string[] {
  if (outcome === undefined) return [];
  return outcome.kind === "failed" ? [`failed: ${outcome.reason}`] : outcome.value.faults;
}

function summaryOf({ rounds }: ComparisonResults, kind: ServerKind): ServerSummary {
  const measured = rounds.map((round) => measuredIn(round[kind])).filter((one) => one !== undefined);
  const ratios: number[] = [];
  for (const round of rounds) {
    const own = measuredIn(round[kind]);
    const plain = measuredIn(round.ws);
    if (own !== undefined && plain !== undefined) ratios.push(own.cost / plain.cost);
  }
  const middle = (pick: (one: Measurement) => number): number => median(measured.map(pick));
  return {
    cost: middle(({ cost }) => cost),
    ratio: median(ratios),
    ratioSpread: spread(ratios),
    perSec: middle(({ perSec }) => perSec),
    serverBusy: middle(({ serverBusy }) => serverBusy),
    generatorBusy: middle(({ generatorBusy }) => generatorBusy),
    p50Us: middle(({ latency }) => latency?.p50Us ?? Number.NaN),
    p99Us: middle(({ latency }) => latency?.p99Us ?? Number.NaN),
    marks: marksOf(measured),
  };
}

function measuredIn(outcome: Outcome<Measurement> | undefined): Measurement | undefined {
  return outcome?.kind === "measured" ? outcome.value : undefined;
}

function marksOf(measured: readonly Measurement[]): Mark[] {
  const marks: Mark[] = [];
  if (measured.some(isGeneratorBound)) marks.push("generator-bound");
  if (measured.some(isDisturbed)) marks.push("disturbed");
  if (measured.some(({ faults }) => faults.length > 0)) marks.push("faulty");
  return marks;
}
