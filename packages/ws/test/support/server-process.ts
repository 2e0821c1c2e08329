import { type ChannelRef, parseChannelName, parseTenantId } from "@pm/core";
import type { Encoding } from "@pm/proto";
import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { HistoryChecker, type HistoryEvent, RecordingClient } from "../../src/testing/index.ts";
import type {
  BackendPublish,
  DeliveryServerReply,
  DeliveryServerRequest,
  DeliveryServerSetup,
  DeliveryServerStats,
} from "./delivery-server-messages.ts";
import { tokenOf } from "./name-authenticator.ts";

type Reply<Kind extends DeliveryServerReply["kind"]> = Extract<DeliveryServerReply, { kind: Kind }>;

/** A server in a process of its own, and clients here whose histories are checked. */
export class ServerProcess {
  readonly checker: HistoryChecker = new HistoryChecker();
  /** Events of the history, by kind. */
  readonly events: Map<HistoryEvent["kind"], number> = new Map();
  readonly #child: ChildProcess;
  readonly #port: number;
  readonly #clients: RecordingClient[] = [];

  private constructor(child: ChildProcess, port: number) {
    this.#child = child;
    this.#port = port;
  }

  static async start(setup: DeliveryServerSetup): Promise<ServerProcess> {
    const child = fork(join(import.meta.dirname, "delivery-server.ts"), [JSON.stringify(setup)], {
      execArgv: ["--expose-gc"],
    });
    const [listening] = (await once(child, "message")) as [Reply<"listening">];
    return new ServerProcess(child, listening.port);
  }

  /** A client that is connected. */
  async connect(tenant: string, user: string, encoding: Encoding = "proto"): Promise<RecordingClient> {
    const client = new RecordingClient({
      url: `ws://127.0.0.1:${this.#port}/ws`,
      token: tokenOf(tenant, user),
      tenant: parseTenantId(tenant),
      user,
      name: `${tenant}.${user}#${this.#clients.length}`,
      encoding,
      record: (event) => this.#record(event),
    });
    this.#clients.push(client);
    await client.connect();
    return client;
  }

  /** Publishes as a backend, with a record of it; resolves with the last offset. */
  async publish(publish: BackendPublish): Promise<number> {
    const log: ChannelRef = { tenant: parseTenantId(publish.tenant), name: parseChannelName(publish.channel) };
    const ids = Array.from({ length: publish.count }, (_, index) => `${publish.prefix}${index + 1}`);
    for (const payloadId of ids) this.#record({ kind: "publishing", reader: "backend", log, payloadId });
    const { position, messageId } = await this.#ask({ kind: "publish", publish }, "published");
    const payloadId = ids.at(-1) ?? "";
    this.#record({ kind: "published", reader: "backend", log, payloadId, position, messageId });
    return position.offset;
  }

  /** Measures its memory from now on. */
  async measure(): Promise<void> {
    await this.#ask({ kind: "measure" }, "measuring");
  }

  async stats(): Promise<DeliveryServerStats> {
    return (await this.#ask({ kind: "stats" }, "stats")).stats;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#clients.map((client) => client[Symbol.asyncDispose]()));
    this.#child.disconnect();
    await once(this.#child, "exit");
  }

  async #ask<Kind extends DeliveryServerReply["kind"]>(
    request: DeliveryServerRequest,
    kind: Kind,
  ): Promise<Reply<Kind>> {
    const answer = once(this.#child, "message");
    this.#child.send(request);
    const [reply] = (await answer) as [DeliveryServerReply];
    if (reply.kind !== kind) throw new TypeError(`${request.kind} was answered with ${reply.kind}`);
    return reply as Reply<Kind>;
  }

  #record(event: HistoryEvent): void {
    this.events.set(event.kind, (this.events.get(event.kind) ?? 0) + 1);
    this.checker.record(event);
  }
}
