import { CloseCode } from "@pm/proto";
import { TENANT_CHANNEL } from "@pm/core";
import type { RawData, WebSocket } from "ws";
import { handleSubscribe } from "../command/handle-subscribe.ts";
import type { Drainable, ShutdownCoordinator, ShutdownGuard } from "../shutdown/shutdown-coordinator.ts";
import { limitsMessage } from "../ws-options.ts";
import type { ConnectionPorts } from "./connection-ports.ts";
import type { ConnectionRegistry } from "./connection-registry.ts";
import type { ConnectionSweep } from "./connection-sweep.ts";
import { receiveFrame } from "./receive-frame.ts";
import { type ConnectionStart, Pause, WebSocketConnection } from "./websocket-connection.ts";

/** What a connection is opened into. */
export interface OpenConnectionPorts {
  readonly ports: ConnectionPorts;
  readonly registry: ConnectionRegistry<WebSocketConnection>;
  readonly shutdown: ShutdownCoordinator;
  readonly sweep: ConnectionSweep;
}

/** Protocol pings and pongs a second that one connection may send. */
const MAX_CONTROL_FRAMES = 10;

/** What ws's listeners, which are the same functions for all sockets, find on a socket. */
interface Opened {
  readonly connection: WebSocketConnection;
  readonly guard: ShutdownGuard;
  readonly into: OpenConnectionPorts;
}

const OPENED: unique symbol = Symbol("pm.connection");

interface HasOpened {
  [OPENED]: Opened;
}

/** Begins a connection: registers it, listens to it, says Welcome and subscribes it to its tenant's channel. */
export function openConnection(start: ConnectionStart, into: OpenConnectionPorts): void {
  const connection = new WebSocketConnection(start, into.ports);
  into.registry.add(connection);
  into.ports.metrics.opened();
  const opened: Opened = { connection, guard: into.shutdown.guard(drainableOf(connection)), into };
  const { webSocket } = start;
  (webSocket as unknown as HasOpened)[OPENED] = opened;
  (start.socket as unknown as HasOpened)[OPENED] = opened;
  webSocket.on("message", onMessage);
  webSocket.on("ping", onPing);
  webSocket.on("pong", onPong);
  webSocket.on("error", onError);
  webSocket.on("close", onClose);
  start.socket.on("drain", onDrain);
  welcome(connection, into.ports);
  // Behind the outbox, which is dirty since the Welcome.
  into.ports.scheduler.markDirty({ flush: () => start.socket.uncork() });
}

function welcome(connection: WebSocketConnection, ports: ConnectionPorts): void {
  const { options, clock } = ports;
  connection.send({
    case: "welcome",
    value: {
      connectionId: connection.id,
      nodeId: options.nodeId,
      heartbeatIntervalMs: options.heartbeatIntervalSecs * 1000,
      heartbeatTimeoutMs: options.heartbeatTimeoutSecs * 1000,
      tokenExpiresAtMs: BigInt(Math.floor(connection.context.expiresAtMs)),
      limits: limitsMessage(options),
      tenantId: connection.context.tenant,
      userId: connection.context.user,
      serverTimeMs: BigInt(clock.now()),
    },
  });
  const command = { kind: "subscribe", channel: TENANT_CHANNEL, since: undefined, rewind: 0 } as const;
  connection
    .barrier(TENANT_CHANNEL, () => handleSubscribe(connection, command, ports))
    .then(
      (reply) => {
        connection.send(reply.body());
        reply.afterQueued?.();
      },
      (error: unknown) => connection.sendError(error),
    );
}

function drainableOf(connection: WebSocketConnection): Drainable {
  return {
    goAway: (reconnectAfterMs) =>
      connection.send({ case: "goAway", value: { reconnectAfterMs, reason: "the server is draining" } }),
    drain: () => drain(connection),
    terminate: () => connection.terminate(),
  };
}

/** Reads nothing more, finishes what was read, then closes. */
function drain(connection: WebSocketConnection): void {
  connection.pause(Pause.DRAINING);
  void connection.whenIdle().then(() => connection.close({ code: CloseCode.DRAINING, reason: "draining" }));
}

function openedOf(target: object): Opened {
  return (target as HasOpened)[OPENED];
}

function onMessage(this: WebSocket, data: RawData, isBinary: boolean): void {
  const { connection, into } = openedOf(this);
  connection.lastSeenTick = into.sweep.tick;
  // The binary type of a server's ws is always nodebuffer.
  receiveFrame(connection, { data: data as Buffer, isBinary }, into.ports);
}

function onPing(this: WebSocket, data: Buffer): void {
  if (countControlFrame(this)) this.pong(data);
}

function onPong(this: WebSocket): void {
  countControlFrame(this);
}

/** False when there are too many, and the connection ends. */
function countControlFrame(webSocket: WebSocket): boolean {
  const { connection, into } = openedOf(webSocket);
  connection.lastSeenTick = into.sweep.tick;
  if (connection.controlTick !== into.sweep.tick) {
    connection.controlTick = into.sweep.tick;
    connection.controlFrames = 0;
  }
  if (++connection.controlFrames <= MAX_CONTROL_FRAMES) return connection.closing === undefined;
  connection.close({ code: CloseCode.POLICY, reason: "too many control frames" });
  return false;
}

/** ws refuses a frame and closes: what it sends is counted, since its close event says 1006. */
function onError(this: WebSocket, error: Error & { code?: string }): void {
  const { connection, into } = openedOf(this);
  const code = closeCodeOf(error.code);
  if (code !== undefined) connection.refused({ code, reason: "bad frame" });
  into.ports.logger.info("connection_error", {
    connection_id: connection.id,
    tenant_id: connection.context.tenant,
    user_id: connection.context.user,
    code: error.code,
    error,
  });
}

function closeCodeOf(code: string | undefined): CloseCode | undefined {
  switch (code) {
    case "WS_ERR_UNSUPPORTED_MESSAGE_LENGTH":
    case "WS_ERR_UNSUPPORTED_DATA_PAYLOAD_LENGTH":
      return CloseCode.TOO_BIG;
    case "WS_ERR_INVALID_UTF8":
      return CloseCode.INVALID_UTF8;
    case "WS_ERR_TOO_MANY_BUFFERED_PARTS":
      return CloseCode.POLICY;
    default:
      return code?.startsWith("WS_ERR_") === true ? CloseCode.PROTOCOL_ERROR : undefined;
  }
}

function onClose(this: WebSocket, code: number): void {
  const { connection, guard, into } = openedOf(this);
  connection.onClosed(code);
  into.sweep.countTraffic(connection);
  into.registry.remove(connection);
  guard.release();
  const { closing } = connection;
  into.ports.metrics.closed(closing?.code ?? code);
  into.ports.logger.info("connection_closed", {
    connection_id: connection.id,
    tenant_id: connection.context.tenant,
    user_id: connection.context.user,
    code: closing?.code ?? code,
    reason: closing?.reason,
    duration_ms: into.ports.clock.now() - connection.connectedAtMs,
  });
}

function onDrain(this: object): void {
  openedOf(this).connection.onDrain();
}
