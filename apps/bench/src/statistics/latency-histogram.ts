const SUB_BUCKET_BITS = 6;
const SUB_BUCKETS = 2 ** SUB_BUCKET_BITS;
const EXPONENTS = 34;

/** Percentiles of latencies, in microseconds. */
export interface LatencySummary {
  readonly count: number;
  readonly p50Us: number;
  readonly p90Us: number;
  readonly p99Us: number;
  readonly p999Us: number;
  readonly maxUs: number;
}

/**
 * Counts latencies in buckets of 1/64 of their size (after HdrHistogram), so that recording costs the same however many
 * there are and no percentile is off by more than 1.6 %.
 */
export class LatencyHistogram {
  readonly #counts = new Float64Array(EXPONENTS * SUB_BUCKETS);
  #count = 0;
  #maxUs = 0;

  /** Records one, in microseconds. Negative ones count as 0. */
  record(us: number): void {
    const value = Math.max(0, Math.floor(us));
    const bucket = bucketOf(value);
    this.#counts[bucket] = (this.#counts[bucket] ?? 0) + 1;
    this.#count++;
    if (value > this.#maxUs) this.#maxUs = value;
  }

  /** The latency that a share `q` of all does not exceed, in microseconds; 0 when there is none. */
  quantile(q: number): number {
    const wanted = Math.max(1, Math.ceil(this.#count * q));
    let seen = 0;
    for (let i = 0; i < this.#counts.length; i++) {
      seen += this.#counts[i] ?? 0;
      if (seen >= wanted) return Math.min(upperBoundOf(i), this.#maxUs);
    }
    return this.#maxUs;
  }

  summary(): LatencySummary {
    return {
      count: this.#count,
      p50Us: this.quantile(0.5),
      p90Us: this.quantile(0.9),
      p99Us: this.quantile(0.99),
      p999Us: this.quantile(0.999),
      maxUs: this.#maxUs,
    };
  }
}

/** Values below 64 have a bucket each; then every doubling has 64. */
function bucketOf(value: number): number {
  if (value < SUB_BUCKETS) return value;
  const exponent = Math.min(Math.floor(Math.log2(value)) - SUB_BUCKET_BITS + 1, EXPONENTS - 1);
  const within = Math.min(Math.floor(value / 2 ** (exponent - 1)) - SUB_BUCKETS, SUB_BUCKETS - 1);
  return exponent * SUB_BUCKETS + within;
}

/** The largest value of a bucket. */
function upperBoundOf(bucket: number): number {
  const exponent = Math.floor(bucket / SUB_BUCKETS);
  const within = bucket % SUB_BUCKETS;
  if (exponent === 0) return within;
  return (within + SUB_BUCKETS + 1) * 2 ** (exponent - 1) - 1;
}
