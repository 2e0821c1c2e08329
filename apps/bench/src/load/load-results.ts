import type { ViolationKind } from "@pm/ws/testing";
import type { LatencySummary } from "../statistics/latency-histogram.ts";
import type { SeriesPoint } from "../statistics/time-series.ts";

/** What a load test has shown; what `--json` writes. */
export interface LoadResults {
  readonly startedAt: string;
  readonly url: string;
  readonly settings: LoadSettings;
  readonly seconds: number;
  readonly published: PublishedCounts;
  /** Publications that readers took, each once. */
  readonly delivered: number;
  /** What they would have taken if every reader had got everything that was acknowledged for its channel. */
  readonly expected: number;
  /** From the call of publish to the reader. */
  readonly delivery: LatencySummary;
  /** From the call of publish to its acknowledgement. */
  readonly acknowledgement: LatencySummary;
  readonly percentiles: readonly PercentilePoint[];
  readonly series: readonly SeriesPoint[];
  /** Readers that were cut off on purpose. */
  readonly cuts: number;
  /** Connections that ended without being cut, by close code. */
  readonly closes: Readonly<Record<string, number>>;
  /** Broken promises, by kind. */
  readonly violations: Readonly<Partial<Record<ViolationKind, number>>>;
  /** The first of them in words. */
  readonly examples: readonly string[];
  /** Share of the time in which this tool was busy; near 1 it was the limit, and latencies are its own. */
  readonly toolBusy: number;
}

/** The sizes of a load test. */
export interface LoadSettings {
  readonly subscribers: number;
  readonly publishers: number;
  readonly idle: number;
  readonly channels: number;
  readonly ratePerSec: number;
  readonly payloadBytes: number;
  readonly cutsPerSec: number;
}

/** What became of publications. */
export interface PublishedCounts {
  readonly sent: number;
  readonly acknowledged: number;
  /** By error code. */
  readonly refused: Readonly<Record<string, number>>;
  /** Their connection ended before an answer came. */
  readonly unknown: number;
}

/** A latency that a share of all deliveries does not exceed. */
export interface PercentilePoint {
  readonly percentile: number;
  readonly us: number;
}

/** True when every reader saw what it was promised. */
export function keptPromises({ violations }: LoadResults): boolean {
  return Object.keys(violations).length === 0;
}
