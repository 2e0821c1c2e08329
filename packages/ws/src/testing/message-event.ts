import type { ChannelRef } from "@pm/core";
import type { Lagged, Publication, Published, StreamPosition as PositionMessage, Subscribed } from "@pm/proto";
import type { StreamPosition } from "../log/stream-position.ts";
import type { LaggedEvent, PublicationEvent, PublishedEvent, SubscribedEvent } from "./history.ts";
import { payloadId as idOf } from "./payload-id.ts";

// From messages of the wire to events of a history.

/** Who saw it, and in which log. */
interface Seen {
  readonly reader: string;
  readonly log: ChannelRef;
}

export function positionOf(message: PositionMessage | undefined): StreamPosition {
  if (message === undefined) return { epoch: "", offset: 0, check: 0 };
  return { epoch: message.epoch, offset: Number(message.offset), check: message.check };
}

export function subscribedEvent(
  seen: Seen,
  asked: { readonly since?: StreamPosition | undefined; readonly rewind?: number | undefined },
  { position, top, recovered, miss, missedCount }: Subscribed,
): SubscribedEvent {
  return {
    kind: "subscribed",
    ...seen,
    since: asked.since,
    rewind: asked.rewind ?? 0,
    position: positionOf(position),
    top: positionOf(top),
    recovered,
    miss,
    missedCount: Number(missedCount),
  };
}

export function publicationEvent(seen: Seen, { offset, check, payload, messageId }: Publication): PublicationEvent {
  return { kind: "publication", ...seen, offset: Number(offset), check, payloadId: idOf(payload), messageId };
}

export function laggedEvent(seen: Seen, { position, missedCount, reason }: Lagged): LaggedEvent {
  return { kind: "lagged", ...seen, position: positionOf(position), missedCount: Number(missedCount), reason };
}

export function publishedEvent(seen: Seen, payloadId: string, { position, messageId }: Published): PublishedEvent {
  return { kind: "published", ...seen, payloadId, position: positionOf(position), messageId };
}
