import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { encodeServerElement, type ServerMessageInit } from "@pm/proto";
import { WebSocket, WebSocketServer } from "ws";

/** Stands between clients and a server, frame by frame, and can say something in the server's name. Binary only. */
export class FrameInjector implements AsyncDisposable {
  readonly #server: WebSocketServer;
  readonly #clients: WebSocket[] = [];

  private constructor(targetUrl: string) {
    this.#server = new WebSocketServer({ port: 0, host: "127.0.0.1", handleProtocols: () => "pm.v1.proto" });
    this.#server.on("connection", (client, request) => {
      const offered = (request.headers["sec-websocket-protocol"] ?? "").split(",").map((entry) => entry.trim());
      this.#relay(client, new WebSocket(targetUrl, offered));
    });
  }

  static async start(targetUrl: string): Promise<FrameInjector> {
    const injector = new FrameInjector(targetUrl);
    await once(injector.#server, "listening");
    return injector;
  }

  get url(): string {
    return `ws://127.0.0.1:${(this.#server.address() as AddressInfo).port}/ws`;
  }

  /** Every connection there has been, in order. */
  get clients(): readonly WebSocket[] {
    return this.#clients;
  }

  /** Resolves when there have been so many connections. */
  async reached(count: number): Promise<void> {
    while (this.#clients.length < count)
      await once(this.#server, "connection", { signal: AbortSignal.timeout(10_000) });
  }

  /** Says something to the newest connection. */
  say(message: ServerMessageInit): void {
    this.#clients.at(-1)?.send(encodeServerElement(message, "proto"));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const client of this.#clients) client.terminate();
    this.#server.close();
    await once(this.#server, "close");
  }

  #relay(client: WebSocket, server: WebSocket): void {
    this.#clients.push(client);
    const early: Buffer[] = [];
    client.on("message", (data: Buffer) =>
      server.readyState === WebSocket.OPEN ? server.send(data) : early.push(data),
    );
    server.on("open", () => {
      for (const data of early) server.send(data);
    });
    server.on("message", (data: Buffer) => client.send(data));
    server.on("close", (code) => (code === 1006 ? client.terminate() : client.close(code)));
    client.on("close", () => server.terminate());
    server.on("error", () => client.terminate());
  }
}
