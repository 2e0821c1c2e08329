import type { PmClientError } from "../pm-client-error.ts";
import type { StreamPosition } from "../wire/messages.ts";
import type { Publication } from "./publication.ts";
import type { Miss, Recovery, SubscriptionState } from "./subscription-listener.ts";

/** A change of a channel's state. */
export interface ChannelStateChange {
  readonly state: SubscriptionState;
  /** With `unsubscribed`: why, when nobody here asked for it. */
  readonly error: PmClientError | undefined;
}

/** A publication whose payload is not of the channel's type. */
export interface InvalidPublication {
  readonly position: StreamPosition;
  readonly messageId: string;
  readonly error: PmClientError;
}

/** What a channel tells. */
export interface ChannelEvents<Data> {
  readonly publication: Publication<Data>;
  /** The server could not deliver everything over a connection that stands. */
  readonly lagged: Miss;
  /**
   * After an interruption delivery does not go on where it was: what is held of the channel's state is not to be
   * trusted.
   */
  readonly missed: Miss;
  /** After an interruption delivery goes on where it was. */
  readonly recovered: Recovery;
  readonly state: ChannelStateChange;
  readonly invalid: InvalidPublication;
}
