import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { expect, test, vi } from "vitest";
import { WebSocket, WebSocketServer } from "ws";
import { ClientSocket, type SocketOwner } from "./client-socket.ts";

/** What an owner heard, and waits until it has heard so many. */
class Heard implements SocketOwner {
  readonly events: string[] = [];

  onMessage(data: Buffer, isBinary: boolean): void {
    this.events.push(`message ${data.toString()} ${isBinary ? "binary" : "text"}`);
  }

  onPing(data: Buffer): void {
    this.events.push(`ping ${data.toString()}`);
  }

  onPong(): void {
    this.events.push("pong");
  }

  onSocketError(error: Error): void {
    this.events.push(`error ${error.message}`);
  }

  onClosed(code: number): void {
    this.events.push(`close ${code}`);
  }
}

test.each([
  ["nobody listened before", false],
  ["somebody listened before", true],
])(
  "given that %s, when a socket has an owner, then the owner hears what comes, and listeners all else",
  async (_, isHeard) => {
    const http = createServer();
    const server = new WebSocketServer({ server: http, WebSocket: ClientSocket, autoPong: false });
    http.listen(0, "127.0.0.1");
    await once(http, "listening");
    const client = new WebSocket(`ws://127.0.0.1:${(http.address() as AddressInfo).port}`);
    const opened = once(client, "open");
    const [webSocket] = (await once(server, "connection")) as [ClientSocket];
    await opened;
    const before = vi.fn();
    if (isHeard) webSocket.on("before", before);
    const heard = new Heard();
    webSocket.setOwner(heard);
    const listener = vi.fn();
    webSocket.once("other", listener);
    expect([webSocket.emit("other", 1), webSocket.emit("other", 2)]).toEqual([true, false]);
    expect(listener.mock.calls).toEqual([[1]]);
    webSocket.on("other", listener).off("other", listener);
    expect(webSocket.listenerCount("other")).toBe(0);
    expect(webSocket.emit("before")).toBe(isHeard);
    expect(before).toHaveBeenCalledTimes(isHeard ? 1 : 0);

    client.send("a");
    client.send(Buffer.from("b"));
    client.ping("c");
    client.close(4321);
    await once(client, "close");
    await vi.waitFor(() => {
      expect(heard.events).toEqual(["message a text", "message b binary", "ping c", "close 4321"]);
    });
    server.close();
    http.close();
  },
);
