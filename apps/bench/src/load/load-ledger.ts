import {
  type AcceptedPublication,
  DisconnectedError,
  RefusedError,
  type Violation,
  printViolation,
} from "@pm/ws/testing";
import { LatencyHistogram } from "../statistics/latency-histogram.ts";
import { TimeSeries } from "../statistics/time-series.ts";
import type { LoadResults, PercentilePoint, PublishedCounts } from "./load-results.ts";

const PERCENTILES = [0, 10, 25, 50, 75, 90, 95, 99, 99.5, 99.9, 99.99, 100];
const MAX_EXAMPLES = 5;

/** The counts of a load test while it runs. */
export class LoadLedger {
  sent = 0;
  acknowledged = 0;
  delivered = 0;
  /** Deliveries that the acknowledged publications should become. */
  expected = 0;
  readonly delivery: LatencyHistogram = new LatencyHistogram();
  readonly acknowledgement: LatencyHistogram = new LatencyHistogram();
  series: TimeSeries = new TimeSeries(0);
  readonly #refused = new Map<string, number>();
  readonly #closes = new Map<string, number>();
  #unknown = 0;

  /** Seconds are counted from here on. */
  begin(startMs: number): void {
    this.series = new TimeSeries(startMs);
  }

  /** A publication goes out; returns the id that its payload has, which says when. */
  publishing(nowMs: number): string {
    this.series.published(nowMs);
    return `${this.sent++}:${Math.round(nowMs * 1000)}`;
  }

  /** A publication was acknowledged. @param readers subscribers of its channel */
  published(payloadId: string, readers: number): void {
    this.acknowledged++;
    this.expected += readers;
    this.acknowledgement.record(ageUs(payloadId, performance.now()));
  }

  /** A publication was not acknowledged. */
  failed(error: unknown): void {
    if (error instanceof RefusedError) increment(this.#refused, error.code);
    else if (error instanceof DisconnectedError) this.#unknown++;
    else throw error;
  }

  /** A reader took a publication. */
  readonly accepted = ({ payloadId }: AcceptedPublication): void => {
    const nowMs = performance.now();
    const us = ageUs(payloadId, nowMs);
    this.delivered++;
    this.delivery.record(us);
    this.series.delivered(nowMs, us);
  };

  /** A connection ended that was not cut. */
  closed(code: number): void {
    increment(this.#closes, String(code));
  }

  get publishedCounts(): PublishedCounts {
    const { sent, acknowledged } = this;
    return { sent, acknowledged, refused: Object.fromEntries(this.#refused), unknown: this.#unknown };
  }

  get closes(): Record<string, number> {
    return Object.fromEntries(this.#closes);
  }

  percentiles(): PercentilePoint[] {
    return PERCENTILES.map((percentile) => ({ percentile, us: this.delivery.quantile(percentile / 100) }));
  }
}

/** Violations by kind, and the first in words. */
export function countViolations(violations: readonly Violation[]): Pick<LoadResults, "violations" | "examples"> {
  const counts = new Map<string, number>();
  for (const { kind } of violations) increment(counts, kind);
  return {
    violations: Object.fromEntries(counts),
    examples: violations.slice(0, MAX_EXAMPLES).map(printViolation),
  };
}

function ageUs(payloadId: string, nowMs: number): number {
  return nowMs * 1000 - Number(payloadId.slice(payloadId.indexOf(":") + 1));
}

function increment(counts: Map<string, number>, key: string): void {
  counts.set(key, (counts.get(key) ?? 0) + 1);
}
