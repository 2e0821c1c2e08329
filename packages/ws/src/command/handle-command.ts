import type { ChannelName } from "@pm/core";
import type { ConnectionPorts } from "../connection/connection-ports.ts";
import type { WebSocketConnection } from "../connection/websocket-connection.ts";
import type { Awaitable } from "../log/broker.ts";
import type { Command } from "./command.ts";
import { handlePublish } from "./handle-publish.ts";
import { handleReadHistory } from "./handle-read-history.ts";
import { handleRefreshToken } from "./handle-refresh-token.ts";
import { handleSubscribe } from "./handle-subscribe.ts";
import { handleUnsubscribe } from "./handle-unsubscribe.ts";
import type { Reply } from "./reply.ts";

// What a connection does one after the other, whatever the channel; no channel has these names.
const HISTORY_TURN = " history" as ChannelName;
const REFRESH_TURN = " refresh" as ChannelName;

const PONG: Reply = { body: () => ({ case: "pong", value: {} }) };

/**
 * From a command to its reply. Commands of one connection on one channel take effect in the order sent: what reads or
 * changes a subscription is waited for by what follows it, while publications only follow each other.
 */
export function handleCommand(
  connection: WebSocketConnection,
  command: Command,
  ports: ConnectionPorts,
): Awaitable<Reply | undefined> {
  switch (command.kind) {
    case "publish":
      return connection.inOrder(command.channel, () => handlePublish(connection, command, ports));
    case "subscribe":
      return connection.barrier(command.channel, () => handleSubscribe(connection, command, ports));
    case "unsubscribe":
      return connection.barrier(command.channel, () => handleUnsubscribe(connection, command));
    case "read-history":
      return connection.barrier(command.channel, () =>
        // Pages are large: the next is not made before this one counts against the socket's mark.
        connection.barrier(HISTORY_TURN, () => handleReadHistory(connection, command, ports)),
      );
    case "refresh-token":
      // The last token counts, however long those before it take to be verified.
      return connection.barrier(REFRESH_TURN, () => handleRefreshToken(connection, command, ports));
    case "hello":
      connection.nameSession(command.sessionId);
      return PONG;
    case "ping":
      return PONG;
    default:
      return command satisfies never;
  }
}
