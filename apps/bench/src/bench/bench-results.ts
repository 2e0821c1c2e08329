import type { ServerKind } from "../dialect/dialect.ts";
import type { Machine } from "../process/machine.ts";
import type { BehaviourResult } from "../profile/behaviour.ts";
import type { CostUnit } from "../profile/comparison.ts";
import type { Measurement } from "../profile/measurement.ts";

/** What came of a run. */
export type Outcome<Value> =
  | { readonly kind: "measured"; readonly value: Value }
  | { readonly kind: "failed"; readonly reason: string };

/** One comparison in one round: all servers, one after the other. */
export type Round = Readonly<Partial<Record<ServerKind, Outcome<Measurement>>>>;

/** A comparison with everything that was measured for it. */
export interface ComparisonResults {
  readonly name: string;
  readonly title: string;
  readonly unit: CostUnit;
  readonly target?: number | undefined;
  readonly rounds: readonly Round[];
}

/** A behaviour with what was measured for it. */
export interface BehaviourResults {
  readonly name: string;
  readonly title: string;
  readonly outcome: Outcome<BehaviourResult>;
}

/** A whole run of the bench; what `--json` writes. */
export interface BenchResults {
  readonly startedAt: string;
  readonly size: string;
  readonly machine: Machine;
  readonly comparisons: readonly ComparisonResults[];
  readonly behaviours: readonly BehaviourResults[];
}
