import type { Encoding } from "@pm/proto";
import type { RecordingClient } from "./recording-client.ts";
import { SeededRandom } from "./seeded-random.ts";
import { SteadyPublisher } from "./steady-publisher.ts";

/** Who a client of a turmoil is. */
export interface TurmoilClient {
  readonly tenant: string;
  readonly user: string;
  readonly encoding: Encoding;
}

/** How much there is of what. */
export interface TurmoilOptions {
  readonly seed: number;
  /** Makes a client that is not connected yet. */
  readonly makeClient: (who: TurmoilClient) => RecordingClient;
  /** Tenants, all with the same users and channels. */
  readonly tenants: readonly string[];
  readonly readersPerTenant: number;
  readonly channels: readonly [string, ...string[]];
  /** Milliseconds between two publications of one publisher, at most; there is one a tenant. */
  readonly publishPauseMs: number;
  /** Milliseconds between two disturbances, at most. */
  readonly disturbPauseMs: number;
  /** Milliseconds for which a reader stalls, at most. */
  readonly maxStallMs: number;
  /** Publications of a flood. */
  readonly floodSize: number;
}

/** What a turmoil has done so far. */
export interface TurmoilCounts {
  cuts: number;
  stalls: number;
  floods: number;
  acknowledged: number;
}

/**
 * Readers that are cut off, stall and leave while publishers go on, and floods in between: everything from one seed.
 */
export class Turmoil {
  readonly counts: TurmoilCounts = { cuts: 0, stalls: 0, floods: 0, acknowledged: 0 };
  readonly #options: TurmoilOptions;
  readonly #random: SeededRandom;
  readonly #readers: RecordingClient[] = [];
  readonly #publishers: SteadyPublisher[] = [];
  readonly #clients: RecordingClient[] = [];

  constructor(options: TurmoilOptions) {
    this.#options = options;
    this.#random = new SeededRandom(options.seed);
  }

  /** Connects everybody. */
  async start(): Promise<void> {
    const { tenants, readersPerTenant, channels } = this.#options;
    for (const tenant of tenants) {
      const client = await this.#join({ tenant, user: "publisher", encoding: "proto" });
      this.#publishers.push(new SteadyPublisher({ client, channels, random: this.#random, retryMs: 50 }));
      for (let index = 0; index < readersPerTenant; index++) {
        const reader = await this.#join({ tenant, user: `u${index}`, encoding: index % 2 === 0 ? "proto" : "json" });
        this.#readers.push(reader);
        for (const channel of channels) await reader.subscribe(channel);
      }
    }
  }

  /**
   * Publishes and disturbs for some time; resolves when all that was asked for is acknowledged. May be called again.
   */
  async rage(ms: number): Promise<void> {
    const { publishPauseMs, disturbPauseMs } = this.#options;
    const publishers = this.#publishers.map((publisher) => publisher.run(() => this.#random.below(publishPauseMs + 1)));
    const endMs = performance.now() + ms;
    const floods: Promise<void>[] = [];
    while (performance.now() < endMs) {
      this.#disturb(floods);
      await delay(this.#random.below(disturbPauseMs + 1));
    }
    for (const publisher of this.#publishers) publisher.end();
    await Promise.all([...publishers, ...floods]);
    this.counts.acknowledged = this.#publishers.reduce((sum, { acknowledged }) => sum + acknowledged, 0);
  }

  /** Disturbs nobody any more; true as soon as all readers are at the end of their logs, false when they never come. */
  async settle(ms: number): Promise<boolean> {
    const endMs = performance.now() + ms;
    while (performance.now() < endMs) {
      for (const reader of this.#readers) reader.resume();
      if (this.#readers.every((reader) => this.#isAtTop(reader))) return true;
      await delay(20);
    }
    return false;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#clients.map((client) => client[Symbol.asyncDispose]()));
  }

  async #join(who: TurmoilClient): Promise<RecordingClient> {
    const client = this.#options.makeClient(who);
    this.#clients.push(client);
    client.stayConnected(() => 10 + this.#random.below(200));
    await client.connect();
    return client;
  }

  #disturb(floods: Promise<void>[]): void {
    const reader = this.#readers[this.#random.below(this.#readers.length)];
    const publisher = this.#publishers[this.#random.below(this.#publishers.length)];
    const dice = this.#random.next();
    if (dice < 0.35) this.#cut(reader);
    else if (dice < 0.7) this.#stall(reader);
    else if (dice < 0.78) this.#comeAndGo(reader);
    else if (dice < 0.8) floods.push(this.#flood(publisher));
    else if (dice < 0.82) this.#cut(this.#clients[this.#random.below(this.#clients.length)]);
  }

  #cut(client: RecordingClient | undefined): void {
    this.counts.cuts++;
    void client?.cut();
  }

  #stall(reader: RecordingClient | undefined): void {
    this.counts.stalls++;
    reader?.stall();
    setTimeout(() => reader?.resume(), this.#random.below(this.#options.maxStallMs + 1));
  }

  /** Subscribes anew, from where it was or with something from before. */
  #comeAndGo(reader: RecordingClient | undefined): void {
    const channel = this.#random.pick(this.#options.channels);
    const since = this.#random.chance(0.5) ? reader?.cursor(channel) : undefined;
    const from = since === undefined ? { rewind: this.#random.below(20) } : { since };
    // A connection that ends meanwhile begins again with all its channels.
    reader?.subscribe(channel, from).catch(() => undefined);
  }

  async #flood(publisher: SteadyPublisher | undefined): Promise<void> {
    this.counts.floods++;
    await publisher?.flood(this.#options.floodSize);
  }

  #isAtTop(reader: RecordingClient): boolean {
    return this.#options.channels.every((channel) => {
      const cursor = reader.cursor(channel);
      const tops = this.#publishers.map(({ tops: byChannel }) => byChannel.get(channel));
      const own = tops[this.#options.tenants.indexOf(reader.logOf(channel).tenant)];
      return own === undefined || (cursor?.epoch === own.epoch && cursor.offset >= own.offset);
    });
  }
}

function delay(ms: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, ms);
  });
}
