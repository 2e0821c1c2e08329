import { TENANT_CHANNEL } from "@pm/core";
import type { Socket } from "node:net";
import { handleSubscribe } from "../command/handle-subscribe.ts";
import type { ConnectionHost, ConnectionPorts } from "./connection-ports.ts";
import { type ConnectionStart, WebSocketConnection } from "./websocket-connection.ts";

const CONNECTION: unique symbol = Symbol("pm.connection");

/** A socket that knows its connection, so that one listener serves all sockets. */
interface KnowingSocket extends Socket {
  [CONNECTION]?: WebSocketConnection;
}

/** Begins a connection: registers it, listens to it, says Welcome and subscribes it to its tenant's channel. */
export function openConnection(
  start: ConnectionStart,
  ports: ConnectionPorts,
  host: ConnectionHost<WebSocketConnection>,
): void {
  const connection = new WebSocketConnection(start, ports, host);
  const socket: KnowingSocket = start.socket;
  socket[CONNECTION] = connection;
  socket.on("drain", onDrain);
  start.webSocket.setOwner(connection);
  host.onOpened(connection);
  welcome(connection, ports);
  // Behind the outbox, which is dirty since the Welcome.
  ports.scheduler.markDirty({ flush: () => socket.uncork() });
}

function onDrain(this: KnowingSocket): void {
  this[CONNECTION]?.onDrain();
}

function welcome(connection: WebSocketConnection, ports: ConnectionPorts): void {
  const { options, clock } = ports;
  connection.send({
    case: "welcome",
    value: {
      connectionId: connection.id,
      nodeId: options.nodeId,
      heartbeatIntervalMs: Math.round(options.heartbeatIntervalSecs * 1000),
      heartbeatTimeoutMs: Math.round(options.heartbeatTimeoutSecs * 1000),
      tokenExpiresAtMs: BigInt(Math.floor(connection.context.expiresAtMs)),
      limits: options.limits,
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
