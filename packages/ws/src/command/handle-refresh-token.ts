import { CloseCode } from "@pm/proto";
import { checkedContext } from "../checked-context.ts";
import type { ConnectionPorts } from "../connection/connection-ports.ts";
import type { WebSocketConnection } from "../connection/websocket-connection.ts";
import type { RefreshTokenCommand } from "./command.ts";
import type { Reply } from "./reply.ts";

/**
 * Puts a new token in force. Grants may change, and channels that it no longer allows are ended; a change of user or
 * tenant ends the connection with 4501. A token that is refused leaves the old one in force.
 * @throws CodedError of the authenticator
 */
export async function handleRefreshToken(
  connection: WebSocketConnection,
  command: RefreshTokenCommand,
  ports: ConnectionPorts,
): Promise<Reply | undefined> {
  const context = checkedContext(await ports.authenticator.authenticate(command.token));
  const { tenant, user } = connection.context;
  if (context.tenant !== tenant || context.user !== user) {
    ports.logger.warn("token_identity_changed", { tenant_id: tenant, user_id: user, connection_id: connection.id });
    connection.close({ code: CloseCode.INVALID_TOKEN, reason: "the token is of another user" });
    return undefined;
  }
  connection.context = context;
  return {
    body: () => ({
      case: "tokenRefreshed",
      value: { tokenExpiresAtMs: BigInt(Math.floor(context.expiresAtMs)), serverTimeMs: BigInt(ports.clock.now()) },
    }),
    afterQueued: () => endDeniedSubscriptions(connection, ports),
  };
}

function endDeniedSubscriptions(connection: WebSocketConnection, ports: ConnectionPorts): void {
  for (const { channel } of connection.subscriptions) {
    const { name } = channel.ref;
    if (ports.policy.may("subscribe", connection.context, name)) continue;
    connection.unsubscribe(name);
    connection.send({ case: "unsubscribed", value: { channel: name, code: "PERMISSION_DENIED" } });
  }
}
