import type { LatencyHistogram } from "../statistics/latency-histogram.ts";
import { MarkerScanner } from "../wire/marker-scanner.ts";
import { sequenceAt, timeAt } from "../wire/stamp.ts";
import type { BenchClient } from "./bench-client.ts";

/** The time of this thread, in microseconds. */
export function nowUs(): number {
  return performance.now() * 1000;
}

/** Counts deliveries, checks that each is the next of its channel, and times some of them. */
export class DeliveryCounter {
  delivered = 0;
  misordered = 0;
  /** Latencies are recorded when this is set. */
  histogram: LatencyHistogram | undefined;
  /** Every n-th delivery is timed. */
  sampleEvery = 1;
  readonly #scanner: MarkerScanner;
  #untimed = 0;
  #client: BenchClient | undefined;
  #bytes: Buffer = Buffer.alloc(0);

  constructor(payloadBytes: number) {
    this.#scanner = new MarkerScanner(payloadBytes);
  }

  /** Counts the messages of one frame, and returns their number. */
  take(client: BenchClient, bytes: Buffer, range: { readonly start: number; readonly end: number }): number {
    this.#client = client;
    this.#bytes = bytes;
    return this.#scanner.scan(bytes, range, this.#found);
  }

  /** One for all frames: made once. */
  readonly #found = (at: number): void => {
    const bytes = this.#bytes;
    const sequence = sequenceAt(bytes, at);
    const client = this.#client;
    if (client !== undefined) {
      if (sequence !== client.nextSequence) this.misordered++;
      client.nextSequence = sequence + 1;
    }
    this.delivered++;
    if (this.histogram === undefined || ++this.#untimed < this.sampleEvery) return;
    this.#untimed = 0;
    this.histogram.record(nowUs() - timeAt(bytes, at));
  };
}
