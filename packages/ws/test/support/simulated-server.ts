import { ManualClock } from "@pm/core/testing";
import { parseTenantId } from "@pm/core";
import type { Encoding } from "@pm/proto";
import { createServer, type Server } from "node:http";
import { attach, type WsServer, type WsServerOptions } from "../../src/index.ts";
import { HistoryChecker, RecordingClient } from "../../src/testing/index.ts";
import { MemorySocket } from "./memory-socket.ts";
import { nameAuthenticator, tokenOf } from "./name-authenticator.ts";

/** Options of the server, most of which have a default here. */
export type SimulatedServerOptions = Partial<Omit<WsServerOptions, "clock">> & { readonly clock?: ManualClock };

/** A whole server and its clients in one process and one time, without a network: what happens can be repeated. */
export class SimulatedServer {
  readonly clock: ManualClock;
  readonly server: WsServer;
  readonly checker: HistoryChecker = new HistoryChecker();
  /** The clients' ends of all connections, in the order in which they were made. */
  readonly clientEnds: MemorySocket[] = [];
  readonly #http: Server;
  readonly #clients: RecordingClient[] = [];

  constructor(options: SimulatedServerOptions = {}) {
    this.clock = options.clock ?? new ManualClock();
    this.#http = createServer();
    this.server = attach(this.#http, {
      heartbeatIntervalSecs: 1_000_000,
      authenticator: nameAuthenticator,
      ...options,
      clock: this.clock,
    });
  }

  /** A client that is not connected yet. */
  client(tenant: string, user: string, encoding: Encoding = "proto"): RecordingClient {
    const client = new RecordingClient({
      url: "ws://memory/ws",
      token: tokenOf(tenant, user),
      tenant: parseTenantId(tenant),
      user,
      name: `${tenant}.${user}#${this.#clients.length}`,
      encoding,
      record: this.checker.record,
      retryDelayMs: 0,
      createConnection: () => this.connect(),
    });
    this.#clients.push(client);
    return client;
  }

  /** Lets time pass, and everything happen that happens in it. */
  async pass(ms: number, stepMs = 20): Promise<void> {
    for (let passed = 0; passed <= ms; passed += stepMs) {
      for (let turn = 0; turn < 4; turn++) await new Promise((resolve) => setImmediate(resolve));
      this.clock.advance(stepMs);
    }
  }

  /** The client's end of a new connection, before any handshake. */
  connect(): MemorySocket {
    const [clientEnd, serverEnd] = MemorySocket.pair();
    this.clientEnds.push(clientEnd);
    this.#http.emit("connection", serverEnd);
    return clientEnd;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#clients.map((client) => client[Symbol.asyncDispose]()));
    await this.server.close();
    this.#http.close();
  }
}
