// The messages of pm.v1 as the client holds them. 64-bit numbers are `number`: offsets stay below 2^53, and so do
// times.

/** Where a reader is in the log of a channel: it has seen everything up to `offset`. Opaque but for the offset. */
export interface StreamPosition {
  readonly epoch: string;
  readonly offset: number;
  readonly check: number;
}

/** What a publication carries on the wire. */
export type PayloadContent =
  | { readonly kind: "data"; readonly value: Uint8Array<ArrayBuffer> }
  | { readonly kind: "json"; readonly value: string };

/** The content of a payload, if it has any that is known here. */
export interface Payload {
  readonly kind: PayloadContent | undefined;
}

/** Why a reader could not be continued where it was. */
export type MissReason = "UNSPECIFIED" | "EPOCH_CHANGED" | "RETENTION" | "CHECK_MISMATCH" | "AHEAD" | "SKIPPED";

/** A publication as it is on the wire. */
export interface PublicationMessage {
  readonly channel: string;
  readonly offset: number;
  readonly check: number;
  readonly payload: Payload | undefined;
  readonly event: string;
  readonly publisher: string;
  readonly publishedAtMs: number;
  readonly messageId: string;
  readonly traceParent: string;
}

/** What one connection may do. */
export interface Limits {
  readonly maxMessageBytes: number;
  readonly maxFrameBytes: number;
  readonly maxSubscriptions: number;
  readonly maxHistory: number;
  readonly idempotencyWindowMs: number;
}

export interface Welcome {
  readonly connectionId: string;
  readonly nodeId: string;
  readonly heartbeatIntervalMs: number;
  readonly heartbeatTimeoutMs: number;
  readonly tokenExpiresAtMs: number;
  readonly limits: Limits | undefined;
  readonly tenantId: string;
  readonly userId: string;
  readonly serverTimeMs: number;
  readonly features: readonly string[];
}

export interface Subscribed {
  readonly channel: string;
  readonly position: StreamPosition | undefined;
  readonly recovered: boolean;
  readonly miss: MissReason;
  readonly missedCount: number;
  readonly top: StreamPosition | undefined;
}

export interface Published {
  readonly position: StreamPosition | undefined;
  readonly duplicate: boolean;
  readonly messageId: string;
}

export interface TokenRefreshed {
  readonly tokenExpiresAtMs: number;
  readonly serverTimeMs: number;
}

export interface HistoryPageMessage {
  readonly publications: readonly PublicationMessage[];
  readonly position: StreamPosition | undefined;
  readonly more: boolean;
  readonly miss: MissReason;
  readonly top: StreamPosition | undefined;
}

export interface Lagged {
  readonly channel: string;
  readonly missedCount: number;
  readonly position: StreamPosition | undefined;
  readonly reason: MissReason;
}

export interface GoAway {
  readonly reconnectAfterMs: number;
  readonly reason: string;
}

export interface ErrorMessage {
  readonly code: string;
  readonly message: string;
  readonly field: string;
  readonly errorId: string;
  readonly retryable: boolean;
  readonly retryAfterMs: number;
}

/** What a server says. */
export type ServerBody =
  | { readonly kind: "welcome"; readonly value: Welcome }
  | { readonly kind: "subscribed"; readonly value: Subscribed }
  | { readonly kind: "unsubscribed"; readonly value: { readonly channel: string; readonly code: string } }
  | { readonly kind: "published"; readonly value: Published }
  | { readonly kind: "tokenRefreshed"; readonly value: TokenRefreshed }
  | { readonly kind: "historyPage"; readonly value: HistoryPageMessage }
  | { readonly kind: "pong"; readonly value: object }
  | { readonly kind: "publication"; readonly value: PublicationMessage }
  | { readonly kind: "lagged"; readonly value: Lagged }
  | { readonly kind: "goAway"; readonly value: GoAway }
  | { readonly kind: "error"; readonly value: ErrorMessage };

/** One message of a server; the body is undefined when it is not known here. */
export interface ServerMessage {
  readonly replyTo: number;
  readonly body: ServerBody | undefined;
}

export interface Subscribe {
  readonly channel: string;
  readonly since?: StreamPosition | undefined;
  readonly rewind?: number | undefined;
}

export interface Publish {
  readonly channel: string;
  readonly payload?: Payload | undefined;
  readonly event?: string | undefined;
  readonly idempotencyKey?: string | undefined;
  readonly traceParent?: string | undefined;
}

export interface ReadHistory {
  readonly channel: string;
  readonly since?: StreamPosition | undefined;
  readonly limit?: number | undefined;
  readonly backward?: boolean | undefined;
}

export interface Hello {
  readonly sessionId?: string | undefined;
  readonly sdk?: string | undefined;
  readonly features?: readonly string[] | undefined;
}

/** What a client says. */
export type ClientBody =
  | { readonly kind: "subscribe"; readonly value: Subscribe }
  | { readonly kind: "unsubscribe"; readonly value: { readonly channel: string } }
  | { readonly kind: "publish"; readonly value: Publish }
  | { readonly kind: "refreshToken"; readonly value: { readonly token: string } }
  | { readonly kind: "readHistory"; readonly value: ReadHistory }
  | { readonly kind: "ping"; readonly value: object }
  | { readonly kind: "hello"; readonly value: Hello };

/** One message of a client. */
export interface ClientMessage {
  readonly id: number;
  readonly body: ClientBody;
}
