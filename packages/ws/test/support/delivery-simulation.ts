import { type ChannelRef, channelKey } from "@pm/core";
import { ManualClock } from "@pm/core/testing";
import { expect } from "vitest";
import { ChannelKinds, MemoryBroker, type StreamPosition } from "../../src/index.ts";
import { HostileBroker, type RecordingClient, SeededRandom } from "../../src/testing/index.ts";
import type { DeliveryOperation, SubscribeStart } from "./delivery-operations.ts";
import { expectPromiseKept } from "./expect-promise-kept.ts";
import { SimulatedServer } from "./simulated-server.ts";

/** The channels that operations name; two tenants use the same. */
export const CHANNELS = ["room:1", "ticker:1", "tenant", "user"] as const;
/** The clients that operations name. */
const CLIENTS = [
  ["t1", "ann", "proto"],
  ["t1", "ann", "json"],
  ["t1", "bob", "json"],
  ["t2", "ann", "proto"],
] as const;
export const CLIENT_COUNT: number = CLIENTS.length;

const KINDS = {
  defaults: { retainedCount: 25, retainedBytes: 400_000, clientPublish: "allow" },
  kinds: { ticker: { lagPolicy: "latest" }, tenant: { clientPublish: "allow" }, user: { clientPublish: "allow" } },
} as const;

const READ_TOP = { from: Number.MAX_SAFE_INTEGER, direction: "forward", maxCount: 1, maxBytes: 1 } as const;

/** Carries operations out on a server with a hostile broker, and holds what its clients saw against the promise. */
export class DeliverySimulation {
  readonly #simulation: SimulatedServer;
  readonly #broker: HostileBroker;
  readonly #memory: MemoryBroker;
  readonly #clients: readonly RecordingClient[];
  #published = 0;

  constructor(seed: number) {
    const clock = new ManualClock();
    this.#memory = new MemoryBroker({ clock, retentionOf: new ChannelKinds(KINDS).retentionOf });
    this.#broker = new HostileBroker({ broker: this.#memory, clock, random: new SeededRandom(seed) });
    this.#simulation = new SimulatedServer({ clock, broker: this.#broker, channelKinds: KINDS });
    this.#clients = CLIENTS.map(([tenant, user, encoding]) => this.#simulation.client(tenant, user, encoding));
  }

  async run(operations: readonly DeliveryOperation[]): Promise<void> {
    await Promise.all(this.#clients.map((client) => client.connect()));
    for (const operation of operations) await this.#carryOut(operation);
    await this.#settle();
    expectPromiseKept(this.#simulation.checker);
    for (const client of this.#clients) for (const channel of CHANNELS) await this.#expectAtTop(client, channel);
  }

  /** What a client was sent, and where its application is, both end where the log ends. */
  async #expectAtTop(client: RecordingClient, channel: string): Promise<void> {
    const log = client.logOf(channel);
    const sent = this.#simulation.checker.positionOf(client.name, log);
    if (sent === undefined) return;
    const { epoch, top } = await this.#broker.read(log, READ_TOP);
    const { check, ...position } = sent;
    expect({ client: client.name, channel, ...position }).toEqual({
      client: client.name,
      channel,
      epoch,
      offset: top.offset,
    });
    expect([top.check, 0]).toContain(check);
    expect(client.cursor(channel)).toEqual(sent);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#broker.calm();
    await this.#simulation[Symbol.asyncDispose]();
  }

  async #carryOut(operation: DeliveryOperation): Promise<void> {
    switch (operation.kind) {
      case "publish":
        for (let count = 0; count < operation.count; count++) this.#publish(operation);
        break;
      case "subscribe":
        this.#subscribe(operation);
        break;
      case "unsubscribe":
        this.#client(operation).unsubscribe(this.#channel(operation)).catch(ignore);
        break;
      case "stall":
        this.#client(operation).stall();
        break;
      case "resume":
        this.#client(operation).resume();
        break;
      case "cut":
        this.#client(operation).cut().catch(ignore);
        break;
      case "reconnect":
        this.#reconnect(this.#client(operation));
        break;
      case "faults":
        this.#broker.faults = operation.faults;
        break;
      case "lose-tail":
        await this.#loseTail(operation);
        break;
      case "renew":
        await this.#renew(operation);
        break;
      case "interrupt":
        for (const log of this.#logs(operation)) this.#broker.interrupt(log);
        break;
      case "pass":
        await this.#simulation.pass(operation.ms, Math.max(1, operation.ms / 20));
        break;
      default:
        operation satisfies never;
    }
    await new Promise((resolve) => setImmediate(resolve));
  }

  #publish({ client: index, channel: name, bytes }: Extract<DeliveryOperation, { kind: "publish" }>): void {
    const client = this.#client({ client: index });
    const channel = this.#channel({ channel: name });
    const id = `p${++this.#published}`;
    // The key makes another attempt the same publication.
    const publish = (): Promise<unknown> => client.publish(channel, id, { bytes, idempotencyKey: id });
    publish().catch(() => publish().catch(ignore));
  }

  #subscribe({ client: index, channel: name, from }: Extract<DeliveryOperation, { kind: "subscribe" }>): void {
    const client = this.#client({ client: index });
    const channel = this.#channel({ channel: name });
    const cursor = client.cursor(channel);
    client
      .subscribe(channel, from.kind === "rewind" ? { rewind: from.count } : { since: sinceOf(from, cursor) })
      .catch(ignore);
  }

  #reconnect(client: RecordingClient): void {
    client.reconnect().catch(ignore);
  }

  async #loseTail({ channel, count }: Extract<DeliveryOperation, { kind: "lose-tail" }>): Promise<void> {
    const [log] = this.#logs({ channel });
    if (log === undefined) return;
    const { epoch } = await this.#memory.read(log, { from: 0, direction: "forward", maxCount: 1, maxBytes: 1 });
    this.#simulation.checker.record({ kind: "tail-lost", log, epoch });
    await this.#broker.loseTail(log, count);
  }

  async #renew({ channel }: { readonly channel: number }): Promise<void> {
    const [log] = this.#logs({ channel });
    if (log === undefined) return;
    const { epoch } = await this.#memory.read(log, { from: 0, direction: "forward", maxCount: 1, maxBytes: 1 });
    await this.#memory.renew(log, epoch);
  }

  /** Everything works again: all are back, read all that they are sent, and have the time to. */
  async #settle(): Promise<void> {
    this.#broker.calm();
    for (const client of this.#clients) client.resume();
    await this.#simulation.pass(10_000, 100);
    for (const client of this.#clients) this.#reconnect(client);
    await this.#simulation.pass(10_000, 100);
    expect(this.#clients.map(({ isConnected }) => isConnected)).toEqual(this.#clients.map(() => true));
  }

  #client({ client }: { readonly client: number }): RecordingClient {
    const found = this.#clients[client];
    if (found === undefined) throw new RangeError(`no client ${client}`);
    return found;
  }

  #channel({ channel }: { readonly channel: number }): string {
    return CHANNELS[channel] ?? CHANNELS[0];
  }

  /** The logs that a channel name stands for, over all clients. */
  #logs({ channel }: { readonly channel: number }): ChannelRef[] {
    const logs = this.#clients.map((client) => client.logOf(this.#channel({ channel })));
    return [...new Map(logs.map((log) => [channelKey(log), log])).values()];
  }
}

function sinceOf(from: SubscribeStart, cursor: StreamPosition | undefined): StreamPosition | undefined {
  if (cursor === undefined || from.kind === "top" || from.kind === "rewind") return undefined;
  if (from.kind === "cursor") return cursor;
  const check = { same: cursor.check, none: 0, wrong: (cursor.check ^ 1) >>> 0 }[from.check];
  return { epoch: cursor.epoch, offset: Math.max(0, cursor.offset + from.by), check };
}

function ignore(): void {
  // What fails here has failed by design; the history says what came of it.
}
