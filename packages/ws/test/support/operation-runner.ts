import { type ChannelRef, channelKey } from "@pm/core";
import type { MemoryBroker, StreamPosition } from "../../src/index.ts";
import type { HostileBroker, RecordingClient } from "../../src/testing/index.ts";
import type { DeliveryOperation, SubscribeStart } from "./delivery-operations.ts";
import type { SimulatedServer } from "./simulated-server.ts";

/** On what operations are carried out. */
export interface OperationScene {
  readonly simulation: SimulatedServer;
  readonly broker: HostileBroker;
  /** The logs behind the broker. */
  readonly memory: MemoryBroker;
  readonly clients: readonly RecordingClient[];
  readonly channels: readonly string[];
}

type Operation<Kind extends DeliveryOperation["kind"]> = Extract<DeliveryOperation, { kind: Kind }>;

/** Carries operations out, and waits for none of them. */
export class OperationRunner {
  readonly #scene: OperationScene;
  #published = 0;

  constructor(scene: OperationScene) {
    this.#scene = scene;
  }

  async carryOut(operation: DeliveryOperation): Promise<void> {
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
        this.#client(operation).reconnect().catch(ignore);
        break;
      case "faults":
        this.#scene.broker.faults = operation.faults;
        break;
      case "lose-tail":
        await this.#loseTail(operation);
        break;
      case "renew":
        for (const log of this.#logs(operation)) await this.#renew(log);
        break;
      case "interrupt":
        for (const log of this.#logs(operation)) this.#scene.broker.interrupt(log);
        break;
      case "pass":
        await this.#scene.simulation.pass(operation.ms, Math.max(1, operation.ms / 20));
        break;
      default:
        operation satisfies never;
    }
    await new Promise((resolve) => setImmediate(resolve));
  }

  #publish(operation: Operation<"publish">): void {
    const client = this.#client(operation);
    const id = `p${++this.#published}`;
    const details = { bytes: operation.bytes, idempotencyKey: id };
    const publish = (): Promise<unknown> => client.publish(this.#channel(operation), id, details);
    // The key makes another attempt the same publication.
    publish().catch(() => publish().catch(ignore));
  }

  #subscribe(operation: Operation<"subscribe">): void {
    const client = this.#client(operation);
    const channel = this.#channel(operation);
    const { from } = operation;
    const start = from.kind === "rewind" ? { rewind: from.count } : { since: sinceOf(from, client.cursor(channel)) };
    client.subscribe(channel, start).catch(ignore);
  }

  async #loseTail(operation: Operation<"lose-tail">): Promise<void> {
    const { broker, simulation } = this.#scene;
    for (const log of this.#logs(operation)) {
      const { epoch } = await broker.peek(log);
      simulation.checker.record({ kind: "tail-lost", log, epoch });
      await broker.loseTail(log, operation.count);
    }
  }

  async #renew(log: ChannelRef): Promise<void> {
    const { memory, broker } = this.#scene;
    const { epoch } = await broker.peek(log);
    await memory.renew(log, epoch);
  }

  #client({ client }: { readonly client: number }): RecordingClient {
    const found = this.#scene.clients[client];
    if (found === undefined) throw new RangeError(`there is no client ${client}`);
    return found;
  }

  #channel({ channel }: { readonly channel: number }): string {
    const found = this.#scene.channels[channel];
    if (found === undefined) throw new RangeError(`there is no channel ${channel}`);
    return found;
  }

  /** The logs that a channel name stands for, over all clients. */
  #logs(operation: { readonly channel: number }): ChannelRef[] {
    const logs = this.#scene.clients.map((client) => client.logOf(this.#channel(operation)));
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
