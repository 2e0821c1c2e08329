import type { PmClientError } from "../pm-client-error.ts";
import type { MissReason, PublicationMessage, StreamPosition } from "../wire/messages.ts";

/** Something that a reader did not get. */
export interface Miss {
  readonly reason: MissReason;
  /** How many publications; undefined when nobody knows. */
  readonly count: number | undefined;
  /** Delivery continues after it. */
  readonly position: StreamPosition;
}

/** Delivery goes on where it was. */
export interface Recovery {
  readonly position: StreamPosition;
  /** Publications that had come meanwhile, and follow now. */
  readonly behind: number;
}

/** Where a subscription is; `paused`: it waits for a consumer that is behind. */
export type SubscriptionState = "unsubscribed" | "subscribing" | "subscribed" | "paused";

/** What a subscription tells its channel, in the order in which it happened. */
export interface SubscriptionListener {
  onPublication(publication: PublicationMessage, position: StreamPosition): void;
  onLagged(miss: Miss): void;
  onMissed(miss: Miss): void;
  onRecovered(recovery: Recovery): void;
  onState(state: SubscriptionState): void;
  /** It has ended; the state `unsubscribed` follows. */
  onFailed(error: PmClientError): void;
}
