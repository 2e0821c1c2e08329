import type { TenantContext } from "@pm/core";
import { resolveChannel } from "../channel-policy.ts";
import type { ConnectionPorts } from "../connection/connection-ports.ts";
import type { WebSocketConnection } from "../connection/websocket-connection.ts";
import { Pause } from "../connection/websocket-connection.ts";
import type { AppendResult, Awaitable } from "../log/broker.ts";
import { WsError } from "../ws-error.ts";
import type { PublishCommand } from "./command.ts";
import type { ReplyBody } from "../wire/reply-encoder.ts";
import { positionMessage, type Reply } from "./reply.ts";

/**
 * Appends a publication.
 * @throws WsError `PERMISSION_DENIED`, `RATE_LIMIT_EXCEEDED` for a quota of the tenant; `UNAVAILABLE` as a rejection
 */
export function handlePublish(
  connection: WebSocketConnection,
  command: PublishCommand,
  ports: ConnectionPorts,
): Awaitable<Reply> {
  const { context } = connection;
  ports.policy.assertMay("publish", context, command.channel);
  assertQuota(context.tenant, command, ports);
  const appended = ports.broadcaster.publish(resolveChannel(context, command.channel), {
    payload: command.payload,
    event: command.event,
    publisher: context.user,
    traceParent: command.traceParent,
    idempotencyKey: command.idempotencyKey,
  });
  if (ports.broadcaster.isCongested(context.tenant)) holdBack(connection, ports);
  return appended instanceof Promise ? publishedLater(appended, context, ports) : published(appended, context, ports);
}

async function publishedLater(
  appended: Promise<AppendResult>,
  context: TenantContext,
  ports: ConnectionPorts,
): Promise<Reply> {
  return published(await appended, context, ports);
}

function published(appended: AppendResult, { tenant }: TenantContext, { metrics }: ConnectionPorts): Reply {
  if (!appended.duplicate) metrics.published(tenant);
  return new Published(appended);
}

class Published implements Reply {
  readonly #result: AppendResult;

  constructor(result: AppendResult) {
    this.#result = result;
  }

  body(): ReplyBody {
    const { position, duplicate, messageId } = this.#result;
    return { case: "published", value: { position: positionMessage(position), duplicate, messageId } };
  }
}

function assertQuota(tenant: string, command: PublishCommand, ports: ConnectionPorts): void {
  const waitMs =
    (ports.tenantPublications?.check(tenant) ?? 0) || (ports.tenantBytes?.check(tenant, payloadBytes(command)) ?? 0);
  if (waitMs === 0) return;
  ports.metrics.rateLimited("tenant");
  throw WsError.rateLimited(`tenant ${tenant} publishes`, waitMs);
}

function payloadBytes({ payload }: PublishCommand): number {
  if (payload === undefined) return 1;
  return Math.max(1, payload.kind === "data" ? payload.data.byteLength : Buffer.byteLength(payload.json));
}

/** The tenant's fan-out is over its bound: its publishers are not read until it is relieved. */
function holdBack(connection: WebSocketConnection, ports: ConnectionPorts): void {
  if (!connection.pause(Pause.CONGESTED)) return;
  ports.broadcaster.whenRelieved(connection.context.tenant, () => connection.resume(Pause.CONGESTED));
}
