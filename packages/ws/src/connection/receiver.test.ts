import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { Writable } from "node:stream";
import { afterEach, expect, test, vi } from "vitest";
import { WebSocket, WebSocketServer } from "ws";
import { ClientSocket } from "./client-socket.ts";

afterEach(() => vi.restoreAllMocks());

test.each([
  ["closes in order", (client: WebSocket) => client.close(1000)],
  ["is cut off", (client: WebSocket) => client.terminate()],
])("given a client that %s, when its socket has closed, then the receiver was ended once", async (_, leave) => {
  const http = createServer();
  const server = new WebSocketServer({ server: http, WebSocket: ClientSocket });
  http.listen(0, "127.0.0.1");
  await once(http, "listening");
  const ended = vi.fn();
  const closed = new Promise<number>((resolve) => {
    server.on("connection", (webSocket) =>
      webSocket.setOwner({
        onMessage: () => undefined,
        onPing: () => undefined,
        onPong: () => undefined,
        onSocketError: () => undefined,
        onClosed: resolve,
      }),
    );
  });
  const client = new WebSocket(`ws://127.0.0.1:${(http.address() as AddressInfo).port}`);
  await once(client, "open");
  const end = Reflect.get(Writable.prototype, "end") as unknown as (...args: unknown[]) => Writable;
  vi.spyOn(Writable.prototype, "end").mockImplementation(function spied(this: Writable, ...args: unknown[]) {
    if (Reflect.get(this, "_isServer") === true) ended();
    return Reflect.apply(end, this, args);
  });
  leave(client);
  await closed;
  expect(ended).toHaveBeenCalledTimes(1);
  server.close();
  http.close();
});
