import { type ClientMessage, CloseCode, decodeClientFrame } from "@pm/proto";
import type { Command } from "../command/command.ts";
import { handleCommand } from "../command/handle-command.ts";
import type { Reply } from "../command/reply.ts";
import { validateCommand } from "../command/validate-command.ts";
import type { Awaitable } from "../log/broker.ts";
import type { RateLimiter } from "../rate-limiter.ts";
import { WsError } from "../ws-error.ts";
import type { ConnectionPorts } from "./connection-ports.ts";
import { Pause, type WebSocketConnection } from "./websocket-connection.ts";

/** Frames in a row with a violation of the rate after which the connection ends. */
const MAX_VIOLATIONS = 5;
/** One command in this many is timed: reading the clock twice costs a tenth of a publication. */
const TIMED_COMMANDS = 16;

/** One WebSocket message. */
interface Frame {
  readonly data: Buffer;
  readonly isBinary: boolean;
}

/** What a message was to the limit of messages. */
type Verdict = "over" | "within" | "elsewhere";

/**
 * Takes one WebSocket message of a client: decodes it, and has each command carried out and answered. A part of the
 * server that throws, such as a limiter, ends this connection and no other.
 */
export function receiveFrame(connection: WebSocketConnection, frame: Frame, ports: ConnectionPorts): void {
  try {
    takeFrame(connection, frame, ports);
  } catch (error) {
    connection.fail(error);
  }
}

function takeFrame(connection: WebSocketConnection, frame: Frame, ports: ConnectionPorts): void {
  if (connection.closing !== undefined) return;
  connection.bytesIn += frame.data.byteLength;
  if (frame.isBinary === (connection.encoding === "json")) {
    const agreed = connection.encoding === "json" ? "text" : "binary";
    connection.close({ code: CloseCode.UNSUPPORTED_DATA, reason: `${agreed} frames were agreed` });
    return;
  }
  const messages = decode(connection, frame.data, ports);
  if (messages === undefined) return;
  let isOver = false;
  let isWithin = false;
  if (messages.length === 0) {
    isOver = refuseEmptyFrame(connection, ports);
    isWithin = !isOver;
  }
  for (const message of messages) {
    const verdict = receiveMessage(connection, message, ports);
    isOver = isOver || verdict === "over";
    isWithin = isWithin || verdict === "within";
  }
  if (isOver) countViolation(connection);
  // What has a limit of its own says nothing of the rate of messages.
  else if (isWithin) connection.violations = 0;
  if (connection.inFlight >= ports.options.maxInFlight) connection.pause(Pause.IN_FLIGHT);
  connection.countRead(Math.max(1, messages.length), frame.data.byteLength);
}

function decode(
  connection: WebSocketConnection,
  data: Buffer,
  { channelNames }: ConnectionPorts,
): ClientMessage[] | undefined {
  try {
    const { encoding } = connection;
    return decodeClientFrame(encoding === "json" ? data.toString("utf8") : data, encoding, channelNames);
  } catch (error) {
    connection.sendError(error);
    connection.close({ code: CloseCode.UNDECODABLE, reason: "the frame cannot be decoded" });
    return undefined;
  }
}

/** An empty frame counts as a message. True when it was over the rate. */
function refuseEmptyFrame(connection: WebSocketConnection, ports: ConnectionPorts): boolean {
  if (isOverRate(connection, { limiter: connection.messageLimiter, id: 0 }, ports)) return true;
  connection.sendError(WsError.invalidMessage("messages", "is empty"));
  return false;
}

/** A message that is over its rate is dropped. */
function receiveMessage(connection: WebSocketConnection, message: ClientMessage, ports: ConnectionPorts): Verdict {
  connection.messagesIn++;
  ports.metrics.received(message.body.case);
  const isApart = hasLimitOfItsOwn(message);
  const limiter = isApart ? connection.subscribeLimiter : connection.messageLimiter;
  if (isOverRate(connection, { limiter, id: message.id }, ports)) return "over";
  const verdict = isApart ? "elsewhere" : "within";
  let command: Command;
  try {
    command = validateCommand(message, ports.channelNames);
  } catch (error) {
    connection.sendError(error, message.id);
    return verdict;
  }
  carryOut(connection, { command, id: message.id }, ports);
  return verdict;
}

function isOverRate(
  connection: WebSocketConnection,
  { limiter, id }: { readonly limiter: RateLimiter | undefined; readonly id: number },
  ports: ConnectionPorts,
): boolean {
  const waitMs = limiter?.check() ?? 0;
  if (waitMs <= 0) return false;
  ports.metrics.rateLimited("connection");
  connection.sendError(WsError.rateLimited("the connection sends", waitMs), id);
  return true;
}

/** Subscribing has a limit of its own, so that a reconnect with many channels is never a violation. */
function hasLimitOfItsOwn({ body }: ClientMessage): boolean {
  return body.case === "subscribe" || body.case === "unsubscribe";
}

/** What was asked, and under which id. */
interface Asked {
  readonly command: Command;
  readonly id: number;
}

function carryOut(connection: WebSocketConnection, asked: Asked, ports: ConnectionPorts): void {
  connection.inFlight++;
  const startedMs = connection.messagesIn % TIMED_COMMANDS === 0 ? ports.clock.monotonic() : undefined;
  const outcome = outcomeOf(connection, asked.command, ports);
  if (outcome instanceof Promise) {
    void settleLater(connection, { ...asked, outcome, startedMs }, ports);
    return;
  }
  answer(connection, outcome, asked);
  settle(connection, ports, startedMs);
}

/** On its own, since a function that may wait pays for that when it does not. */
async function settleLater(
  connection: WebSocketConnection,
  asked: Asked & { readonly outcome: Promise<Reply | undefined>; readonly startedMs: number | undefined },
  ports: ConnectionPorts,
): Promise<void> {
  try {
    answer(connection, await asked.outcome, asked);
  } catch (error) {
    connection.sendError(error, asked.id);
  }
  settle(connection, ports, asked.startedMs);
}

function outcomeOf(
  connection: WebSocketConnection,
  command: Command,
  ports: ConnectionPorts,
): Awaitable<Reply | undefined> {
  try {
    return handleCommand(connection, command, ports);
  } catch (error) {
    return Promise.reject(error);
  }
}

function answer(connection: WebSocketConnection, reply: Reply | undefined, { command, id }: Asked): void {
  if (reply === undefined) return;
  // Without an id no reply is wanted, but a subscription is never begun without its Subscribed. A connection that ends
  // takes nothing more.
  const isWanted = id !== 0 || command.kind === "subscribe" || command.kind === "unsubscribe";
  if (isWanted && connection.closing === undefined) connection.send(reply.body(), id);
  reply.afterQueued?.();
}

function settle(connection: WebSocketConnection, ports: ConnectionPorts, startedMs: number | undefined): void {
  if (startedMs !== undefined) ports.metrics.handled((ports.clock.monotonic() - startedMs) / 1000);
  connection.settled();
  if (connection.inFlight <= ports.options.maxInFlight / 2) connection.resume(Pause.IN_FLIGHT);
}

function countViolation(connection: WebSocketConnection): void {
  if (++connection.violations >= MAX_VIOLATIONS) {
    connection.close({ code: CloseCode.RATE_LIMITED, reason: "too many messages" });
  }
}
