import type { IncomingMessage, Server } from "node:http";
import type { Duplex } from "node:stream";
import { WsServer, type WsServerOptions } from "./ws-server.ts";

/**
 * Puts pm behind the upgrades of an http.Server or https.Server, on its path only: upgrades of other paths are left to
 * whoever else listens. Returns the server, with `publish`, `disconnect` and `drain`.
 * @throws RangeError for an option out of its range
 */
export function attach(httpServer: Server, options: WsServerOptions): WsServer {
  const server = new WsServer(options);
  httpServer.on("upgrade", (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    if (server.isMine(request)) server.handleUpgrade(request, socket, head);
  });
  return server;
}
