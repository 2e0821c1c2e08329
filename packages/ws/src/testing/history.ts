import type { ChannelRef } from "@pm/core";
import type { RecoveryMiss } from "@pm/proto";
import type { StreamPosition } from "../log/stream-position.ts";

/** Something that a client did or saw, in the order in which it did and saw it. */
export type HistoryEvent =
  | ConnectedEvent
  | PublishingEvent
  | PublishedEvent
  | SubscribedEvent
  | PublicationEvent
  | LaggedEvent
  | UnsubscribedEvent
  | DisconnectedEvent
  | EntryEvent
  | TailLostEvent;

/** A connection began; nothing is subscribed to. */
export interface ConnectedEvent {
  readonly kind: "connected";
  /** The name of the client, different for different clients. */
  readonly reader: string;
}

/** A publication is about to be sent, perhaps not for the first time. */
export interface PublishingEvent {
  readonly kind: "publishing";
  readonly reader: string;
  readonly log: ChannelRef;
  /** Told apart from all other payloads of the history. */
  readonly payloadId: string;
}

/** A publication was acknowledged. */
export interface PublishedEvent {
  readonly kind: "published";
  readonly reader: string;
  readonly log: ChannelRef;
  readonly payloadId: string;
  readonly position: StreamPosition;
  readonly messageId: string;
}

/** The answer to a Subscribe, or the push for the channel of the tenant. */
export interface SubscribedEvent {
  readonly kind: "subscribed";
  readonly reader: string;
  readonly log: ChannelRef;
  /** What the client had asked for. */
  readonly since: StreamPosition | undefined;
  readonly rewind: number;
  readonly position: StreamPosition;
  readonly top: StreamPosition;
  readonly recovered: boolean;
  readonly miss: RecoveryMiss;
  readonly missedCount: number;
}

/** A publication was delivered. */
export interface PublicationEvent {
  readonly kind: "publication";
  readonly reader: string;
  readonly log: ChannelRef;
  readonly offset: number;
  readonly check: number;
  readonly payloadId: string;
  readonly messageId: string;
}

export interface LaggedEvent {
  readonly kind: "lagged";
  readonly reader: string;
  readonly log: ChannelRef;
  readonly missedCount: number;
  readonly position: StreamPosition;
  readonly reason: RecoveryMiss;
}

export interface UnsubscribedEvent {
  readonly kind: "unsubscribed";
  readonly reader: string;
  readonly log: ChannelRef;
}

/** A connection ended. */
export interface DisconnectedEvent {
  readonly kind: "disconnected";
  readonly reader: string;
  readonly code: number;
}

/** An entry as somebody with a view of the log itself found it. */
export interface EntryEvent {
  readonly kind: "entry";
  readonly log: ChannelRef;
  readonly epoch: string;
  readonly offset: number;
  readonly check: number;
  readonly prevCheck: number;
  readonly payloadId: string;
  readonly messageId: string;
}

/** The log was made to lose its newest entries: offsets of this epoch may come again. */
export interface TailLostEvent {
  readonly kind: "tail-lost";
  readonly log: ChannelRef;
  readonly epoch: string;
}
