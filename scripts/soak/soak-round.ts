import { setTimeout as delay } from "node:timers/promises";
import { parseTenantId } from "../../packages/core/dist/index.js";
import {
  DisconnectedError,
  type HistoryEvent,
  HistoryChecker,
  printViolation,
  RecordingClient,
  RefusedError,
  SeededRandom,
} from "../../packages/ws/dist/testing/index.js";
import type { SoakServer } from "./soak-server.ts";

const TENANTS = ["t1", "t2"] as const;
const CHANNELS = ["room:1", "room:2"] as const;
const CLIENTS_PER_TENANT = 6;
const FLOOD = { publications: 400, bytes: 16_000 };
const MAX_STALL_MS = 3000;
const CATCH_UP_MS = 30_000;
/**
 * What a publication may be refused with under load: nobody knows whether it was appended. Anything else is a fault.
 */
const LOAD_REFUSALS: ReadonlySet<string> = new Set(["UNAVAILABLE"]);

/** What a round needs. */
export interface SoakRoundOptions {
  readonly server: SoakServer;
  readonly seed: number;
  /** Told apart from all other rounds on this server. */
  readonly number: number;
  /** Ends the faults early. */
  readonly signal: AbortSignal;
}

/** What happened in a round, and what was wrong, as text. */
export interface RoundResult {
  readonly publications: number;
  readonly deliveries: number;
  readonly cuts: number;
  readonly stalls: number;
  readonly lagged: number;
  readonly missed: number;
  /** Publications whose outcome their client was not told. */
  readonly unknown: number;
  readonly faults: readonly string[];
}

/** New clients on an old server: faults under load, then quiet, then the check. */
export class SoakRound {
  readonly #options: SoakRoundOptions;
  readonly #random: SeededRandom;
  readonly #checker = new HistoryChecker();
  readonly #clients: readonly [RecordingClient, ...RecordingClient[]];
  readonly #counts = { publications: 0, deliveries: 0, cuts: 0, stalls: 0, lagged: 0, missed: 0, unknown: 0 };
  readonly #faults: string[] = [];
  readonly #underWay = new Set<Promise<unknown>>();
  #payloads = 0;

  constructor(options: SoakRoundOptions) {
    this.#options = options;
    this.#random = new SeededRandom(options.seed);
    const clients = TENANTS.flatMap((tenant) =>
      Array.from({ length: CLIENTS_PER_TENANT }, (_, index) => this.#client(tenant, index)),
    );
    this.#clients = clients as [RecordingClient, ...RecordingClient[]];
  }

  async run(durationMs: number): Promise<RoundResult> {
    try {
      await Promise.all(this.#clients.map((client) => this.#enter(client)));
      await this.#makeFaults(performance.now() + durationMs);
      await this.#catchUp();
      if (this.#faults.length === 0) this.#faults.push(...this.#checker.settle().map(printViolation));
    } catch (error) {
      this.#faults.push(String(error));
    }
    await Promise.all(this.#clients.map((client) => client.close()));
    return { ...this.#counts, faults: this.#faults };
  }

  #client(tenant: (typeof TENANTS)[number], index: number): RecordingClient {
    const user = `user${index}`;
    const { server } = this.#options;
    return new RecordingClient({
      url: server.url,
      token: server.token(tenant, user),
      tenant: parseTenantId(tenant),
      user,
      name: `${tenant}.${user}`,
      encoding: index % 2 === 0 ? "proto" : "json",
      record: (event) => this.#record(event),
      onAccepted: () => this.#counts.deliveries++,
    });
  }

  #record(event: HistoryEvent): void {
    this.#checker.record(event);
    if (event.kind === "published") this.#counts.publications++;
    if (event.kind === "lagged") this.#counts.lagged++;
    if (event.kind === "lagged" || event.kind === "subscribed") this.#counts.missed += event.missedCount;
  }

  async #enter(client: RecordingClient): Promise<void> {
    await client.connect();
    for (const channel of CHANNELS) await client.subscribe(channel);
    client.stayConnected(() => this.#random.below(500));
  }

  async #makeFaults(endMs: number): Promise<void> {
    while (performance.now() < endMs && !this.#options.signal.aborted) {
      const client = this.#random.pick(this.#clients);
      const chance = this.#random.next();
      if (chance < 0.02) this.#begin(this.#flood(client));
      else if (chance < 0.06) this.#begin(this.#stall(client));
      else if (chance < 0.1) this.#begin(this.#cut(client));
      else this.#begin(this.#publish(client, this.#random.pick(CHANNELS), this.#random.below(2000)));
      await delay(this.#random.below(15));
    }
    await Promise.all(this.#underWay);
  }

  #begin(work: Promise<unknown>): void {
    this.#underWay.add(work);
    void work.catch((error: unknown) => this.#faults.push(String(error))).finally(() => this.#underWay.delete(work));
  }

  async #cut(client: RecordingClient): Promise<void> {
    if (!client.isConnected) return;
    this.#counts.cuts++;
    await client.cut();
  }

  async #stall(client: RecordingClient): Promise<void> {
    this.#counts.stalls++;
    client.stall();
    await delay(this.#random.below(MAX_STALL_MS));
    client.resume();
  }

  async #flood(client: RecordingClient): Promise<void> {
    const channel = this.#random.pick(CHANNELS);
    await Promise.all(Array.from({ length: FLOOD.publications }, () => this.#publish(client, channel, FLOOD.bytes)));
  }

  async #publish(client: RecordingClient, channel: string, bytes: number): Promise<void> {
    const kind = this.#random.chance(0.5) ? "json" : "data";
    try {
      await client.publish(channel, `r${this.#options.number}.${++this.#payloads}`, { kind, bytes });
    } catch (error) {
      if (!isOfTheLoad(error)) throw error;
      this.#counts.unknown++;
    }
  }

  /** Everybody reads, is connected, and has come to a last publication in every channel. */
  async #catchUp(): Promise<void> {
    for (const client of this.#clients) client.resume();
    const behind = new Set(this.#clients);
    const caughtUp = TENANTS.map(async (tenant) => {
      const clients = this.#clients.filter(({ name }) => name.startsWith(`${tenant}.`));
      await Promise.all(clients.map((client) => client.until(() => client.isConnected)));
      const tops = await this.#publishLast(clients);
      const reached = clients.map(async (client) => {
        await Promise.all([...tops].map(([channel, offset]) => client.reaches(channel, offset)));
        behind.delete(client);
      });
      await Promise.all(reached);
    });
    const inTime = Promise.all(caughtUp).then(() => true);
    const isCaughtUp = await Promise.race([inTime, delay(CATCH_UP_MS, false, { ref: false })]);
    const names = [...behind].map(({ name }) => name).join(", ");
    if (!isCaughtUp) this.#faults.push(`${names} did not catch up in ${CATCH_UP_MS / 1000} s`);
  }

  async #publishLast(clients: readonly RecordingClient[]): Promise<Map<string, number>> {
    const tops = new Map<string, number>();
    for (const channel of CHANNELS) {
      const published = await clients[0]?.publish(
        channel,
        `r${this.#options.number}.last.${channel}.${clients[0]?.name}`,
      );
      tops.set(channel, Number(published?.position?.offset));
    }
    return tops;
  }
}

/** It was cut off or not answered in time, and may or may not have published. */
function isOfTheLoad(error: unknown): boolean {
  if (error instanceof RefusedError) return LOAD_REFUSALS.has(error.code);
  return error instanceof DisconnectedError;
}
