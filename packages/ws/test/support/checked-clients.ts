import { parseTenantId } from "@pm/core";
import type { Encoding } from "@pm/proto";
import { HistoryChecker, type HistoryEvent, RecordingClient } from "../../src/testing/index.ts";
import { tokenOf } from "./name-authenticator.ts";

/** Clients of one server on a port of this machine, and the history of what all of them saw. */
export class CheckedClients implements AsyncDisposable {
  readonly checker: HistoryChecker = new HistoryChecker();
  /** Events of the history, by kind. */
  readonly events: Map<HistoryEvent["kind"], number> = new Map();
  readonly port: number;
  readonly #clients: RecordingClient[] = [];

  constructor(port: number) {
    this.port = port;
  }

  /** A client that is not connected yet. */
  client(tenant: string, user: string, encoding: Encoding = "proto"): RecordingClient {
    const client = new RecordingClient({
      url: `ws://127.0.0.1:${this.port}/ws`,
      token: tokenOf(tenant, user),
      tenant: parseTenantId(tenant),
      user,
      name: `${tenant}.${user}#${this.#clients.length}`,
      encoding,
      record: (event) => this.record(event),
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

  record(event: HistoryEvent): void {
    this.events.set(event.kind, (this.events.get(event.kind) ?? 0) + 1);
    this.checker.record(event);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#clients.map((client) => client[Symbol.asyncDispose]()));
  }
}
