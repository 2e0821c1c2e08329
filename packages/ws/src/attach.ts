import type { IncomingMessage, Server } from "node:http";
import type { Duplex } from "node:stream";
import { WsServer, type WsServerOptions } from "./ws-server.ts";

/**
 * Puts pm behind the upgrades of an http.Server or https.Server, on its path only: upgrades of other paths are left to
 * whoever else listens, and answered with 404 where nobody does. Returns the server, with `publish`, `disconnect` and `drain`.
 * @throws RangeError for an option out of its range
 */
export function attach(httpServer: Server, options: WsServerOptions): WsServer {
  const server = new WsServer(options);
  httpServer.on("upgrade", (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    if (server.isMine(request)) server.handleUpgrade(request, socket, head);
    else if (httpServer.listenerCount("upgrade") === 1) refuseUpgrade(socket);
  });
  return server;
}

/** Answers an upgrade that nobody wants: Node leaves it without an answer or a time limit once somebody listens. */
export function refuseUpgrade(socket: Duplex): void {
  socket.on("error", () => undefined);
  socket.end("HTTP/1.1 404 Not Found\r\nConnection: close\r\nContent-Length: 0\r\n\r\n");
  socket.once("finish", () => socket.destroy());
}
