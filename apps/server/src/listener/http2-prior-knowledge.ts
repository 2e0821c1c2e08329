import type { Server } from "node:http";
import { createServer, type Http2ServerRequest, type Http2ServerResponse, type ServerHttp2Session } from "node:http2";
import type { Socket } from "node:net";

/** Answers a request that came over HTTP/2. */
export type Http2Handler = (request: Http2ServerRequest, response: Http2ServerResponse) => void;

/** Ends HTTP/2 again. */
export interface Http2Handle {
  close(): void;
}

/** The beginning of every HTTP/2 connection (RFC 9113, section 3.4); no HTTP/1 method begins like this. */
const PREFACE = "PRI * HTTP/2.0\r\n";
/** How long to wait for the first bytes, in milliseconds. */
const FIRST_BYTES_MS = 5_000;
/** How long to wait for the first request of a session: until then nobody has shown a key. */
const FIRST_REQUEST_MS = 5_000;
const IDLE_MS = 120_000;
const MAX_STREAMS = 100;

/**
 * Lets a server of HTTP/1 speak HTTP/2 without TLS as well, to clients that begin with it, as gRPC does (prior
 * knowledge, RFC 9113, section 3.3). Only for connections that are known to come from close by.
 */
export function acceptHttp2(server: Server, handler: Http2Handler): Http2Handle {
  const http2 = createServer({ settings: { maxConcurrentStreams: MAX_STREAMS } }, handler);
  http2.setTimeout(IDLE_MS);
  http2.on("session", awaitRequest);
  const sockets = new Set<Socket>();
  const onHttp1 = server.listeners("connection");
  server.removeAllListeners("connection");
  server.on("connection", (socket: Socket) => {
    sockets.add(socket);
    socket.once("close", () => sockets.delete(socket));
    firstBytes(socket, (bytes) => {
      if (beginsLike(bytes, PREFACE)) http2.emit("connection", socket);
      else for (const listener of onHttp1) Reflect.apply(listener, server, [socket]);
    });
  });
  return {
    close() {
      for (const socket of sockets) socket.destroy();
    },
  };
}

/** Looks at what comes first and puts it back. A socket on which nothing comes is closed. */
function firstBytes(socket: Socket, onBytes: (bytes: Buffer) => void): void {
  const destroy = (): void => void socket.destroy();
  socket.on("error", destroy);
  socket.setTimeout(FIRST_BYTES_MS, destroy);
  socket.once("readable", () => {
    socket.setTimeout(0, destroy);
    const bytes = socket.read() as Buffer | null;
    if (bytes === null) {
      destroy();
      return;
    }
    socket.removeListener("error", destroy);
    socket.unshift(bytes);
    onBytes(bytes);
  });
}

/** Ends a session on which no request begins in time, whatever else comes. */
function awaitRequest(session: ServerHttp2Session): void {
  const timer = setTimeout(() => session.destroy(), FIRST_REQUEST_MS);
  const stop = (): void => clearTimeout(timer);
  session.once("stream", stop);
  session.once("close", stop);
}

/** A preface that comes in pieces is known by the first three bytes, which no method shares. */
function beginsLike(bytes: Buffer, preface: string): boolean {
  const length = Math.min(bytes.length, preface.length);
  return length >= 3 && bytes.toString("latin1", 0, length) === preface.slice(0, length);
}
