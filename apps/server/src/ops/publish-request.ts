import { parseChannelName, parseTenantId, USER_CHANNEL } from "@pm/core";
import type { Payload } from "@pm/proto";
import type { PublishRequest as PublishMessage } from "@pm/proto/ops";
import type { PublishRequest, PublishTarget } from "@pm/ws";
import { boundedText, userId } from "./checked-text.ts";
import { OpsInputError } from "./ops-error.ts";

/** A publication of a backend, checked. */
export interface CheckedPublication {
  readonly target: PublishTarget;
  readonly request: PublishRequest;
}

const MAX_LABEL_BYTES = 64;
const MAX_TRACE_PARENT_BYTES = 128;

/**
 * Checks a publication.
 * @param maxPayloadBytes what a client may send in a message
 * @throws OpsInputError, or NameError for a tenant or channel outside its grammar
 */
export function checkPublication(message: PublishMessage, maxPayloadBytes: number): CheckedPublication {
  return {
    target: targetOf(message),
    request: {
      payload: payloadOf(message.payload, maxPayloadBytes),
      event: boundedText("event", message.event, MAX_LABEL_BYTES),
      idempotencyKey: boundedText("idempotency_key", message.idempotencyKey, MAX_LABEL_BYTES),
      traceParent: boundedText("trace_parent", message.traceParent, MAX_TRACE_PARENT_BYTES),
    },
  };
}

function targetOf({ tenantId, target }: PublishMessage): PublishTarget {
  const tenant = parseTenantId(tenantId);
  switch (target.case) {
    case "channel": {
      const channel = parseChannelName(target.value);
      if (channel === USER_CHANNEL) throw OpsInputError.of("channel", "user is one of each user: give user_id");
      return { tenant, channel };
    }
    case "userId":
      return { tenant, user: userId(target.value) };
    case "wholeTenant":
      return { tenant };
    case undefined:
      throw OpsInputError.of("target", "is missing: give channel, user_id or whole_tenant");
    default:
      return target satisfies never;
  }
}

function payloadOf(payload: Payload | undefined, maxBytes: number): Uint8Array | string | undefined {
  const content = payload?.kind.value;
  if (content === undefined) return undefined;
  const size = Buffer.byteLength(content);
  if (size > maxBytes) throw OpsInputError.of("payload", `has ${size} bytes (at most ${maxBytes})`);
  return content;
}
