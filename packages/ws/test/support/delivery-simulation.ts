import { type ChannelRef, channelKey } from "@pm/core";
import { ManualClock } from "@pm/core/testing";
import { expect } from "vitest";
import { ChannelKinds, MemoryBroker } from "../../src/index.ts";
import { publicationIn } from "../../src/testing/entry-publication.ts";
import { HostileBroker, payloadId, type RecordingClient, SeededRandom } from "../../src/testing/index.ts";
import type { DeliveryOperation } from "./delivery-operations.ts";
import { expectPromiseKept } from "./expect-promise-kept.ts";
import { OperationRunner } from "./operation-runner.ts";
import { SimulatedServer } from "./simulated-server.ts";

/** The channels that operations name; two tenants use the same. */
export const CHANNELS = ["room:1", "ticker:1", "tenant", "user"] as const;
/** The clients that operations name. */
const CLIENTS = [
  ["t1", "ann", "proto"],
  ["t1", "bob", "json"],
  ["t1", "ann", "json"],
  ["t2", "ann", "proto"],
] as const;
export const CLIENT_COUNT: number = CLIENTS.length;

const KINDS = {
  defaults: { retainedCount: 25, retainedBytes: 400_000, clientPublish: "allow" },
  kinds: { ticker: { lagPolicy: "latest" }, tenant: { clientPublish: "allow" }, user: { clientPublish: "allow" } },
} as const;

/** Carries operations out on a server with a hostile broker, and holds what its clients saw against the promise. */
export class DeliverySimulation {
  readonly #simulation: SimulatedServer;
  readonly #broker: HostileBroker;
  readonly #clients: readonly RecordingClient[];
  readonly #logs: readonly ChannelRef[];
  readonly #runner: OperationRunner;
  readonly #witnessed = new Set<number>();

  constructor(seed: number) {
    const clock = new ManualClock();
    const memory = new MemoryBroker({ clock, retentionOf: new ChannelKinds(KINDS).retentionOf });
    this.#broker = new HostileBroker({ broker: memory, clock, random: new SeededRandom(seed) });
    this.#simulation = new SimulatedServer({ clock, broker: this.#broker, channelKinds: KINDS });
    this.#clients = CLIENTS.map(([tenant, user, encoding]) => this.#simulation.client(tenant, user, encoding));
    const logs = this.#clients.flatMap((client) => CHANNELS.map((channel) => client.logOf(channel)));
    this.#logs = [...new Map(logs.map((log) => [channelKey(log), log])).values()];
    this.#runner = new OperationRunner({
      simulation: this.#simulation,
      broker: this.#broker,
      memory,
      clients: this.#clients,
      channels: CHANNELS,
    });
  }

  async run(operations: readonly DeliveryOperation[]): Promise<void> {
    await Promise.all(this.#clients.map((client) => client.connect()));
    await Promise.all(this.#clients.map((client) => client.subscribe(CHANNELS[0])));
    for (const operation of operations) {
      await this.#runner.carryOut(operation);
      await this.#witness();
    }
    await this.#settle();
    await this.#witness();
    expectPromiseKept(this.#simulation.checker);
    for (const client of this.#clients) for (const channel of CHANNELS) await this.#expectAtTop(client, channel);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#broker.calm();
    await this.#simulation[Symbol.asyncDispose]();
  }

  /** Tells the checker what is in the logs themselves. */
  async #witness(): Promise<void> {
    for (const log of this.#logs) {
      const { epoch, entries } = await this.#broker.peek(log);
      for (const entry of entries) {
        if (this.#witnessed.has(entry.check)) continue;
        this.#witnessed.add(entry.check);
        const { messageId, payload } = publicationIn(entry);
        const { offset, check, prevCheck } = entry;
        const seen = { offset, check, prevCheck, messageId, payloadId: payloadId(payload) };
        this.#simulation.checker.record({ kind: "entry", log, epoch, ...seen });
      }
    }
  }

  /** Everything works again: all are back, read all that they are sent, and have the time to. */
  async #settle(): Promise<void> {
    this.#broker.calm();
    for (const client of this.#clients) client.resume();
    await this.#simulation.pass(10_000, 100);
    for (const client of this.#clients) if (!client.isConnected) await client.reconnect();
    await this.#simulation.pass(10_000, 100);
    expect(this.#clients.map(({ isConnected }) => isConnected)).toEqual(this.#clients.map(() => true));
  }

  /** What a client was sent, and where its application is, both end where the log ends. */
  async #expectAtTop(client: RecordingClient, channel: string): Promise<void> {
    const log = client.logOf(channel);
    const sent = this.#simulation.checker.positionOf(client.name, log);
    if (sent === undefined) return;
    const { epoch, top } = await this.#broker.peek(log);
    const { check, ...position } = sent;
    const who = { client: client.name, channel };
    expect({ ...who, ...position }).toEqual({ ...who, epoch, offset: top.offset });
    expect([top.check, 0]).toContain(check);
    expect(client.cursor(channel)).toEqual(sent);
  }
}
