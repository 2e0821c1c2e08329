import type { CodedError } from "@pm/core";
import { type ClientError, toClientError } from "@pm/proto";
import type { Duplex } from "node:stream";
import type { HandshakeOutcome } from "../metrics/ws-metrics.ts";

/** An answer to an upgrade request that is not an upgrade. */
export interface Refusal {
  readonly status: 400 | 401 | 403 | 404 | 408 | 429 | 500 | 503;
  readonly outcome: HandshakeOutcome;
  /** What the client is told; the body is `{code, message, error_id}`. */
  readonly error: CodedError;
}

const REASONS: Readonly<Record<Refusal["status"], string>> = {
  400: "Bad Request",
  401: "Unauthorized",
  403: "Forbidden",
  404: "Not Found",
  408: "Request Timeout",
  429: "Too Many Requests",
  500: "Internal Server Error",
  503: "Service Unavailable",
};

/** Writes the answer and ends the socket. */
export function refuse(socket: Duplex, refusal: Refusal, errorId: string): void {
  const told = toClientError(refusal.error, errorId);
  const body = JSON.stringify({ code: told.code, message: messageOf(refusal, told), error_id: errorId });
  const head = [
    `HTTP/1.1 ${refusal.status} ${REASONS[refusal.status]}`,
    "Connection: close",
    "Content-Type: application/json",
    `Content-Length: ${Buffer.byteLength(body)}`,
    ...(refusal.status === 401 ? ["WWW-Authenticate: Bearer"] : []),
    ...(told.retryAfterMs > 0 ? [`Retry-After: ${Math.max(1, Math.ceil(told.retryAfterMs / 1000))}`] : []),
  ];
  socket.end(`${head.join("\r\n")}\r\n\r\n${body}`);
  // A peer that neither reads nor closes is not waited for.
  socket.once("finish", () => socket.destroy());
}

/** What is wrong with the request itself is made from nothing else, and helps whoever writes a client. */
function messageOf({ error }: Refusal, told: ClientError): string {
  return told.code === "INVALID_MESSAGE" || told.code === "PERMISSION_DENIED" ? error.message : told.message;
}
