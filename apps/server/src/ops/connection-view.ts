import type { ConnectionInfo } from "@pm/proto/ops";
import type { WebSocketConnection } from "@pm/ws";

/** A connection as the typed API tells it. */
export function connectionInfo(connection: WebSocketConnection): Omit<ConnectionInfo, "$typeName"> {
  const { id, context, address, outbox } = connection;
  return {
    id,
    tenantId: context.tenant,
    userId: context.user,
    address,
    connectedAtMs: BigInt(connection.connectedAtMs),
    idleMs: connection.idleMs,
    subscriptions: connection.subscriptions.size,
    messagesIn: BigInt(connection.messagesIn),
    bytesIn: BigInt(connection.bytesIn),
    messagesOut: BigInt(outbox.messagesOut),
    bytesOut: BigInt(outbox.bytesOut),
    queuedBytes: BigInt(outbox.queuedBytes),
    catchingUp: connection.catchingUp,
  };
}

/** The same as JSON for people, with numbers and a time that can be read. */
export function connectionJson(connection: WebSocketConnection): Readonly<Record<string, string | number>> {
  const { id, context, address, outbox } = connection;
  return {
    id,
    tenant_id: context.tenant,
    user_id: context.user,
    address,
    connected_at: new Date(connection.connectedAtMs).toISOString(),
    idle_ms: connection.idleMs,
    subscriptions: connection.subscriptions.size,
    messages_in: connection.messagesIn,
    bytes_in: connection.bytesIn,
    messages_out: outbox.messagesOut,
    bytes_out: outbox.bytesOut,
    queued_bytes: outbox.queuedBytes,
    catching_up: connection.catchingUp,
  };
}
