import type { ChannelRef } from "@pm/core";
import { once } from "node:events";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { type AppendResult, attach, type WsServer, type WsServerOptions } from "../../src/index.ts";
import { payloadWithId } from "../../src/testing/index.ts";
import { CheckedClients } from "./checked-clients.ts";
import { nameAuthenticator } from "./name-authenticator.ts";

/** A server on a port of its own, and clients whose histories are checked. */
export class RealServer extends CheckedClients {
  readonly server: WsServer;
  readonly #http: Server;

  private constructor(http: Server, options: Omit<WsServerOptions, "authenticator">) {
    super((http.address() as AddressInfo).port);
    this.#http = http;
    this.server = attach(http, { ...options, authenticator: nameAuthenticator });
  }

  static async start(options: Omit<WsServerOptions, "authenticator"> = {}): Promise<RealServer> {
    const http = createServer();
    http.listen(0, "127.0.0.1");
    await once(http, "listening");
    return new RealServer(http, options);
  }

  /** Publishes as a backend, with a record of it. */
  async publish(log: ChannelRef, id: string, bytes = 0): Promise<AppendResult> {
    this.record({ kind: "publishing", reader: "backend", log, payloadId: id });
    const payload = payloadWithId(id, { kind: "data", bytes });
    const { tenant, name, user } = log;
    const target = user === undefined ? { tenant, channel: name } : { tenant, user };
    const result = await this.server.publish(target, payload.kind === "data" ? { payload: payload.data } : {});
    const { position, messageId } = result;
    this.record({ kind: "published", reader: "backend", log, payloadId: id, position, messageId });
    return result;
  }

  override async [Symbol.asyncDispose](): Promise<void> {
    await super[Symbol.asyncDispose]();
    await this.server.close();
    this.#http.closeAllConnections();
    this.#http.close();
    await once(this.#http, "close");
  }
}
