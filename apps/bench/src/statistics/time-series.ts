import { LatencyHistogram } from "./latency-histogram.ts";

/** What happened within one second. */
export interface SeriesPoint {
  /** Seconds since the start, at the beginning of this one. */
  readonly atSecs: number;
  readonly published: number;
  readonly delivered: number;
  readonly p50Us: number;
  readonly p99Us: number;
}

interface Second {
  published: number;
  delivered: number;
  readonly latency: LatencyHistogram;
}

/** Counts by the second, as long as a load lasts. */
export class TimeSeries {
  readonly #startMs: number;
  readonly #seconds: Second[] = [];

  constructor(startMs: number) {
    this.#startMs = startMs;
  }

  /** Something was published at this time. */
  published(nowMs: number): void {
    this.#at(nowMs).published++;
  }

  /** Something was delivered at this time, after so many microseconds. */
  delivered(nowMs: number, us: number): void {
    const second = this.#at(nowMs);
    second.delivered++;
    second.latency.record(us);
  }

  points(): SeriesPoint[] {
    return this.#seconds.map(({ published, delivered, latency }, atSecs) => ({
      atSecs,
      published,
      delivered,
      p50Us: latency.quantile(0.5),
      p99Us: latency.quantile(0.99),
    }));
  }

  #at(nowMs: number): Second {
    const index = Math.max(0, Math.floor((nowMs - this.#startMs) / 1000));
    while (this.#seconds.length <= index) {
      this.#seconds.push({ published: 0, delivered: 0, latency: new LatencyHistogram() });
    }
    const second = this.#seconds[index];
    if (second === undefined) throw new RangeError(`no second ${index}`);
    return second;
  }
}
