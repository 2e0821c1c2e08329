import type { IncomingMessage, Server } from "node:http";
import type { Duplex } from "node:stream";
import { WsServer, type WsServerOptions } from "./ws-server.ts";

/**
 * Makes a WsServer and gives it the upgrades of an http.Server or https.Server, as `takeUpgrades` does. Returns the
 * server, with `publish`, `disconnect` and `drain`.
 * @throws RangeError for an option out of its range
 */
export function attach(httpServer: Server, options: WsServerOptions): WsServer {
  const server = new WsServer(options);
  takeUpgrades(httpServer, server);
  return server;
}

/**
 * Puts a WsServer behind the upgrades of an http.Server or https.Server, on its path only: upgrades of other paths are
 * left to whoever else listens, and answered with 404 where nobody does.
 */
export function takeUpgrades(httpServer: Server, server: WsServer): void {
  httpServer.on("upgrade", (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    if (server.isMine(request)) server.handleUpgrade(request, socket, head);
    else if (httpServer.listenerCount("upgrade") === 1) refuseUpgrade(socket);
  });
}

/** Answers an upgrade that nobody wants: Node leaves it without an answer or a time limit once somebody listens. */
function refuseUpgrade(socket: Duplex): void {
  socket.on("error", () => undefined);
  socket.end("HTTP/1.1 404 Not Found\r\nConnection: close\r\nContent-Length: 0\r\n\r\n");
  socket.once("finish", () => socket.destroy());
}
