import { DisconnectedError, RefusedError } from "./client-error.ts";
import type { RecordingClient } from "./recording-client.ts";
import type { SeededRandom } from "./seeded-random.ts";

/** What a SteadyPublisher publishes. */
export interface SteadyPublisherOptions {
  readonly client: RecordingClient;
  readonly channels: readonly [string, ...string[]];
  readonly random: SeededRandom;
  /** Milliseconds to wait before another attempt. */
  readonly retryMs: number;
}

const SIZES = [0, 50, 300, 2000, 8000] as const;
const KINDS = ["json", "data"] as const;
const FLOOD_SIZES = [200, 20_000, 40_000] as const;

/**
 * Publishes until told to end, each publication until it is acknowledged: with its own key, so that none comes twice.
 */
export class SteadyPublisher {
  /** The newest position that was acknowledged, by channel. */
  readonly tops: Map<string, { readonly epoch: string; readonly offset: number }> = new Map();
  acknowledged = 0;
  readonly #options: SteadyPublisherOptions;
  #asked = 0;
  #isOver = false;

  constructor(options: SteadyPublisherOptions) {
    this.#options = options;
  }

  /** Publishes one after the other, with `pauseMs` between; resolves when it was told to end and nothing is open. */
  async run(pauseMs: () => number): Promise<void> {
    const { random } = this.#options;
    this.#isOver = false;
    while (!this.#isOver) {
      await this.#publish(random.pick(SIZES));
      await delay(pauseMs());
    }
  }

  /** Publishes many at once to one channel. */
  async flood(count: number): Promise<void> {
    const { random, channels } = this.#options;
    const bytes = random.pick(FLOOD_SIZES);
    const channel = random.pick(channels);
    await Promise.all(Array.from({ length: count }, () => this.#publish(bytes, channel)));
  }

  end(): void {
    this.#isOver = true;
  }

  async #publish(bytes: number, channel: string = this.#options.random.pick(this.#options.channels)): Promise<void> {
    const { client, random, retryMs } = this.#options;
    const payloadId = `${client.name}-${++this.#asked}`;
    const kind = random.pick(KINDS);
    for (;;) {
      try {
        const { position } = await client.publish(channel, payloadId, { bytes, kind, idempotencyKey: payloadId });
        this.acknowledged++;
        this.#noteTop(channel, position?.epoch ?? "", Number(position?.offset ?? 0n));
        return;
      } catch (error) {
        if (!isTransient(error)) throw error;
        await delay(retryMs);
      }
    }
  }

  /**
   * What was asked for together is answered in any order: an attempt that is repeated hears of where the first one
   * went.
   */
  #noteTop(channel: string, epoch: string, offset: number): void {
    const known = this.tops.get(channel);
    if (known?.epoch !== epoch || known.offset < offset) this.tops.set(channel, { epoch, offset });
  }
}

function isTransient(error: unknown): boolean {
  if (error instanceof DisconnectedError) return true;
  return error instanceof RefusedError && ["UNAVAILABLE", "RATE_LIMIT_EXCEEDED"].includes(error.code);
}

function delay(ms: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, ms);
  });
}
