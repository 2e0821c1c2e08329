import type { ChannelName } from "@pm/core";
import type { PublicationPayload } from "../log/broker.ts";
import type { StreamPosition } from "../log/stream-position.ts";

/** What a client asks for, after validation: every field is within its grammar and limits. */
export type Command =
  | SubscribeCommand
  | UnsubscribeCommand
  | PublishCommand
  | ReadHistoryCommand
  | RefreshTokenCommand
  | HelloCommand
  | PingCommand;

export interface SubscribeCommand {
  readonly kind: "subscribe";
  readonly channel: ChannelName;
  readonly since: StreamPosition | undefined;
  readonly rewind: number;
}

export interface UnsubscribeCommand {
  readonly kind: "unsubscribe";
  readonly channel: ChannelName;
}

export interface PublishCommand {
  readonly kind: "publish";
  readonly channel: ChannelName;
  readonly payload: PublicationPayload | undefined;
  readonly event: string;
  readonly idempotencyKey: string;
  readonly traceParent: string;
}

export interface ReadHistoryCommand {
  readonly kind: "read-history";
  readonly channel: ChannelName;
  readonly since: StreamPosition | undefined;
  /** 1 to 1000. */
  readonly limit: number;
  readonly backward: boolean;
}

export interface RefreshTokenCommand {
  readonly kind: "refresh-token";
  readonly token: string;
}

export interface HelloCommand {
  readonly kind: "hello";
  /** Empty: the client has no session. */
  readonly sessionId: string;
}

export interface PingCommand {
  readonly kind: "ping";
}
