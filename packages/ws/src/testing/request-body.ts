import type { PublicationPayload } from "../log/broker.ts";
import type { StreamPosition } from "../log/stream-position.ts";
import type { RequestBody } from "./protocol-socket.ts";

// From what a client wants to messages of the wire.

export function subscribeBody(
  channel: string,
  { since, rewind = 0 }: { readonly since?: StreamPosition | undefined; readonly rewind?: number | undefined },
): RequestBody {
  return { case: "subscribe", value: { channel, rewind, ...(since && { since: positionMessage(since) }) } };
}

export function historyBody(
  channel: string,
  request: {
    readonly since?: StreamPosition | undefined;
    readonly limit?: number | undefined;
    readonly backward?: boolean | undefined;
  },
): RequestBody {
  const { since, limit = 0, backward = false } = request;
  return { case: "readHistory", value: { channel, limit, backward, ...(since && { since: positionMessage(since) }) } };
}

export function publishBody(publish: {
  readonly channel: string;
  readonly event: string;
  readonly idempotencyKey: string;
  readonly payload: PublicationPayload;
}): RequestBody {
  const { payload } = publish;
  const kind =
    payload.kind === "json"
      ? ({ case: "json", value: payload.json } as const)
      : ({ case: "data", value: Uint8Array.from(payload.data) } as const);
  return { case: "publish", value: { ...publish, payload: { kind } } };
}

function positionMessage({ epoch, offset, check }: StreamPosition): { epoch: string; offset: bigint; check: number } {
  return { epoch, offset: BigInt(offset), check };
}
