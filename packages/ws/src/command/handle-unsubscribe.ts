import type { WebSocketConnection } from "../connection/websocket-connection.ts";
import { WsError } from "../ws-error.ts";
import type { UnsubscribeCommand } from "./command.ts";
import type { Reply } from "./reply.ts";

/**
 * Ends the delivery of a channel at once.
 * @throws WsError `NOT_SUBSCRIBED`
 */
export async function handleUnsubscribe(connection: WebSocketConnection, command: UnsubscribeCommand): Promise<Reply> {
  if (connection.unsubscribe(command.channel) === undefined) throw WsError.notSubscribed(command.channel);
  return { body: () => ({ case: "unsubscribed", value: { channel: command.channel } }) };
}
