import { type ChannelRef, parseTenantId } from "@pm/core";
import type { Encoding } from "@pm/proto";
import { once } from "node:events";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { type AppendResult, attach, type WsServer, type WsServerOptions } from "../../src/index.ts";
import { HistoryChecker, type HistoryEvent, payloadWithId, RecordingClient } from "../../src/testing/index.ts";
import { nameAuthenticator, tokenOf } from "./name-authenticator.ts";

/** A server on a port of its own, and clients whose histories are checked. */
export class RealServer {
  readonly server: WsServer;
  readonly checker: HistoryChecker = new HistoryChecker();
  /** Events of the history, by kind. */
  readonly events: Map<HistoryEvent["kind"], number> = new Map();
  readonly #http: Server;
  readonly #clients: RecordingClient[] = [];

  private constructor(http: Server, options: Omit<WsServerOptions, "authenticator">) {
    this.#http = http;
    this.server = attach(http, { ...options, authenticator: nameAuthenticator });
  }

  static async start(options: Omit<WsServerOptions, "authenticator"> = {}): Promise<RealServer> {
    const http = createServer();
    const real = new RealServer(http, options);
    http.listen(0, "127.0.0.1");
    await once(http, "listening");
    return real;
  }

  /** A client that is not connected yet. */
  client(tenant: string, user: string, encoding: Encoding = "proto"): RecordingClient {
    const { port } = this.#http.address() as AddressInfo;
    const client = new RecordingClient({
      url: `ws://127.0.0.1:${port}/ws`,
      token: tokenOf(tenant, user),
      tenant: parseTenantId(tenant),
      user,
      name: `${tenant}.${user}#${this.#clients.length}`,
      encoding,
      record: (event) => this.#record(event),
    });
    this.#clients.push(client);
    return client;
  }

  /** A client that is connected. */
  async connect(tenant: string, user: string, encoding: Encoding = "proto"): Promise<RecordingClient> {
    const client = this.client(tenant, user, encoding);
    await client.connect();
    return client;
  }

  /** Publishes as a backend, with a record of it. */
  async publish(log: ChannelRef, id: string, bytes = 0): Promise<AppendResult> {
    this.#record({ kind: "publishing", reader: "backend", log, payloadId: id });
    const payload = payloadWithId(id, { kind: "data", bytes });
    const { tenant, name, user } = log;
    const target = user === undefined ? { tenant, channel: name } : { tenant, user };
    const result = await this.server.publish(target, payload.kind === "data" ? { payload: payload.data } : {});
    const { position, messageId } = result;
    this.#record({ kind: "published", reader: "backend", log, payloadId: id, position, messageId });
    return result;
  }

  #record(event: HistoryEvent): void {
    this.events.set(event.kind, (this.events.get(event.kind) ?? 0) + 1);
    this.checker.record(event);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#clients.map((client) => client[Symbol.asyncDispose]()));
    await this.server.close();
    this.#http.closeAllConnections();
    this.#http.close();
    await once(this.#http, "close");
  }
}
