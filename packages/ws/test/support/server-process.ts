import { type ChannelRef, parseChannelName, parseTenantId } from "@pm/core";
import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { CheckedClients } from "./checked-clients.ts";
import type {
  BackendPublish,
  DeliveryServerReply,
  DeliveryServerRequest,
  DeliveryServerSetup,
  DeliveryServerStats,
} from "./delivery-server-messages.ts";

type Reply<Kind extends DeliveryServerReply["kind"]> = Extract<DeliveryServerReply, { kind: Kind }>;

/** A server in a process of its own, and clients here whose histories are checked. */
export class ServerProcess extends CheckedClients {
  readonly #child: ChildProcess;

  private constructor(child: ChildProcess, port: number) {
    super(port);
    this.#child = child;
  }

  static async start(setup: DeliveryServerSetup): Promise<ServerProcess> {
    const child = fork(join(import.meta.dirname, "delivery-server.ts"), [JSON.stringify(setup)], {
      execArgv: ["--expose-gc"],
    });
    const [listening] = (await once(child, "message")) as [Reply<"listening">];
    return new ServerProcess(child, listening.port);
  }

  /** Publishes as a backend, with a record of it; resolves with the last offset. */
  async publish(publish: BackendPublish): Promise<number> {
    const log: ChannelRef = { tenant: parseTenantId(publish.tenant), name: parseChannelName(publish.channel) };
    const ids = Array.from({ length: publish.count }, (_, index) => `${publish.prefix}${index + 1}`);
    for (const payloadId of ids) this.record({ kind: "publishing", reader: "backend", log, payloadId });
    const { position, messageId } = await this.#ask({ kind: "publish", publish }, "published");
    const payloadId = ids.at(-1) ?? "";
    this.record({ kind: "published", reader: "backend", log, payloadId, position, messageId });
    return position.offset;
  }

  /** Measures its memory from now on. */
  async measure(): Promise<void> {
    await this.#ask({ kind: "measure" }, "measuring");
  }

  async stats(): Promise<DeliveryServerStats> {
    return (await this.#ask({ kind: "stats" }, "stats")).stats;
  }

  override async [Symbol.asyncDispose](): Promise<void> {
    await super[Symbol.asyncDispose]();
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
}
