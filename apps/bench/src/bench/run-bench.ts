import type { BenchResults, ComparisonResults, Outcome, Round } from "./bench-results.ts";
import type { BenchOptions } from "./bench-options.ts";
import { SERVER_KINDS, type ServerKind } from "../dialect/dialect.ts";
import { thisMachine } from "../process/machine.ts";
import { BEHAVIOURS, COMPARISONS } from "../profile/catalog.ts";
import type { Comparison } from "../profile/comparison.ts";
import type { LabPorts } from "../profile/lab.ts";
import type { Measurement } from "../profile/measurement.ts";
import type { Progress } from "../report/progress.ts";

/** Runs the profiles that were asked for. A run that fails is told of in the results and does not end the others. */
export async function runBench(options: BenchOptions, ports: LabPorts, progress: Progress): Promise<BenchResults> {
  const startedAt = new Date().toISOString();
  const machine = thisMachine(ports.pinning);
  const comparisons = COMPARISONS.filter(({ name }) => options.profiles.includes(name));
  const behaviours = BEHAVIOURS.filter(({ name }) => options.profiles.includes(name));
  progress.begin(comparisons.length * SERVER_KINDS.length * options.rounds + behaviours.length);

  const rounds = new Map<Comparison, Round[]>(comparisons.map((comparison) => [comparison, []]));
  for (let round = 0; round < options.rounds; round++) {
    for (const [comparison, done] of rounds) {
      done.push(await runRound({ comparison, round, ports, progress }));
    }
  }
  const behaviourResults = [];
  for (const { name, title, run } of behaviours) {
    const outcome = await outcomeOf(() => progress.during(name, run(ports)));
    behaviourResults.push({ name, title, outcome });
  }
  progress.end();
  return {
    startedAt,
    size: options.size,
    machine,
    comparisons: [...rounds].map(([comparison, done]) => resultsOf(comparison, done)),
    behaviours: behaviourResults,
  };
}

interface RoundRun {
  readonly comparison: Comparison;
  readonly round: number;
  readonly ports: LabPorts;
  readonly progress: Progress;
}

/**
 * All servers right after each other, so that what the machine does meanwhile meets all; in another order each round.
 */
async function runRound({ comparison, round, ports, progress }: RoundRun): Promise<Round> {
  const measured: Partial<Record<ServerKind, Outcome<Measurement>>> = {};
  for (const kind of rotated(SERVER_KINDS, round)) {
    const label = `${comparison.name} ${kind} round ${round + 1}`;
    measured[kind] = await outcomeOf(() => progress.during(label, comparison.run(kind, ports)));
  }
  return measured;
}

/** A list from its n-th element on, with what comes before it at the end. */
export function rotated<Item>(items: readonly Item[], n: number): Item[] {
  const start = n % items.length;
  return [...items.slice(start), ...items.slice(0, start)];
}

async function outcomeOf<Value>(run: () => Promise<Value>): Promise<Outcome<Value>> {
  try {
    return { kind: "measured", value: await run() };
  } catch (error) {
    return { kind: "failed", reason: error instanceof Error ? error.message : String(error) };
  }
}

function resultsOf({ name, title, unit, target }: Comparison, rounds: readonly Round[]): ComparisonResults {
  return { name, title, unit, target, rounds };
}
