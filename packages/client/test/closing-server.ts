import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { encodeServerElement, type ServerMessageInit } from "@pm/proto";
import { type WebSocket, WebSocketServer } from "ws";

/** What the server does with a connection: welcomes it or not, says something, and closes. */
export interface ClosingScript {
  readonly says?: readonly ServerMessageInit[];
  readonly isWelcome?: boolean;
  /** `cut` ends the connection without a close frame. */
  readonly closes?: number | "cut";
}

/** A server that closes connections as it is told, one script for each; after the last it keeps them. */
export class ClosingServer implements AsyncDisposable {
  readonly scripts: ClosingScript[] = [];
  /** When each connection was opened. */
  readonly openedMs: number[] = [];
  readonly #server: WebSocketServer;

  private constructor() {
    this.#server = new WebSocketServer({ port: 0, host: "127.0.0.1", handleProtocols: () => "pm.v1.proto" });
    this.#server.on("connection", (socket) => this.#play(socket, this.scripts.shift() ?? {}));
  }

  static async start(): Promise<ClosingServer> {
    const server = new ClosingServer();
    await once(server.#server, "listening");
    return server;
  }

  get url(): string {
    return `ws://127.0.0.1:${(this.#server.address() as AddressInfo).port}/ws`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.#server.clients) socket.terminate();
    this.#server.close();
    await once(this.#server, "close");
  }

  #play(socket: WebSocket, { says = [], isWelcome = true, closes }: ClosingScript): void {
    this.openedMs.push(performance.now());
    const frames = isWelcome ? [welcomeOf(`c-${this.openedMs.length}`), ...says] : says;
    for (const frame of frames) socket.send(encodeServerElement(frame, "proto"));
    // After the client has read what was said, and has answered.
    if (closes === "cut") socket.once("message", () => socket.terminate());
    else if (closes !== undefined && isWelcome) socket.once("message", () => socket.close(closes));
    else if (closes !== undefined) socket.close(closes);
  }
}

/** An Error that answers nothing, with a time to wait. */
export function errorHint(retryAfterMs: number): ServerMessageInit {
  return { body: { case: "error", value: { code: "RATE_LIMIT_EXCEEDED", retryAfterMs } } };
}

export function goAwayHint(reconnectAfterMs: number): ServerMessageInit {
  return { body: { case: "goAway", value: { reconnectAfterMs } } };
}

function welcomeOf(connectionId: string): ServerMessageInit {
  const times = {
    heartbeatIntervalMs: 25_000,
    heartbeatTimeoutMs: 10_000,
    serverTimeMs: 0n,
    tokenExpiresAtMs: 600_000n,
  };
  return { body: { case: "welcome", value: { connectionId, ...times } } };
}
