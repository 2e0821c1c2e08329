import type { ChannelRef, TenantId } from "@pm/core";
import type { LogExtent, StreamPosition } from "./stream-position.ts";

/** What a publication carries. */
export type PublicationPayload =
  | { readonly kind: "data"; readonly data: Uint8Array }
  | { readonly kind: "json"; readonly json: string };

/** A publication before it is in a log. Its bytes may be those of a socket: what is kept of them is copied. */
export interface PublicationDraft {
  readonly payload: PublicationPayload | undefined;
  readonly event: string;
  /** The publishing user; empty for a backend. */
  readonly publisher: string;
  readonly traceParent: string;
  /** Scope: tenant, channel, publisher. Empty: every append is a publication of its own. */
  readonly idempotencyKey: string;
}

/** A publication in a log. */
export interface LogEntry {
  readonly offset: number;
  /** Random nonzero 32 bits, drawn at append. */
  readonly check: number;
  /** The tag of the entry before. */
  readonly prevCheck: number;
  readonly publishedAtMs: number;
  /** What readers are sent: a WebSocket frame with this publication alone, as `encodePublication` makes it. */
  readonly frame: Buffer;
}

/** Where an append ended. */
export interface AppendResult {
  readonly position: StreamPosition;
  readonly messageId: string;
  /** True: the key was seen before, and this is where the first one is. */
  readonly duplicate: boolean;
}

/** An outcome that is there already, or comes later. To be awaited, or asked which it is where that is too slow. */
export type Awaitable<T> = T | Promise<T>;

/**
 * Which part of a log to read: at most `maxCount` entries and about `maxBytes`, but at least one where there is one.
 */
export interface ReadRequest {
  /** Forward: entries with a higher offset, in increasing order. Backward: with a lower one, in decreasing order. */
  readonly from: number;
  readonly direction: "forward" | "backward";
  readonly maxCount: number;
  readonly maxBytes: number;
}

/** A part of a log, and how far the log reached when it was read. The entries have no hole between them. */
export interface LogPage extends LogExtent {
  readonly entries: readonly LogEntry[];
}

/** Hears what happens to a channel. A hint: the log alone is the truth. */
export interface BrokerListener {
  /** An entry was appended. May come late, twice, out of order, or not at all. */
  onEntry(epoch: string, entry: LogEntry): void;
  /** Entries may have been missed: the log has to be read. */
  onInterrupted(): void;
}

/**
 * The port behind the logs. `describeBroker` in `@pm/ws/testing` is its contract: offsets begin at 1 and have no holes,
 * an entry is in the log when `append` resolves, appends to one channel take effect in the order of their calls, a
 * repeated idempotency key within the window answers the first position and a concurrent one awaits it.
 */
export interface Broker {
  /** Memory of this process that logs and idempotency keys take, in bytes; 0 where they are kept elsewhere. */
  readonly memoryBytes: number;
  /**
   * Appends to the log of a channel. A broker that knows the outcome at once gives it at once.
   * @throws WsError as a rejection: `UNAVAILABLE` when the outcome is not known (retry with the same key),
   * `RATE_LIMIT_EXCEEDED` when too many keys are remembered, and nothing was appended.
   */
  append(channel: ChannelRef, draft: PublicationDraft): Awaitable<AppendResult>;
  /** Reads a part of a log; a channel never written to has an empty one. */
  read(channel: ChannelRef, request: ReadRequest): Promise<LogPage>;
  /** Tells the listener of entries from now on. One that listens already is not told twice. */
  subscribe(channel: ChannelRef, listener: BrokerListener): Promise<void>;
  /** The listener hears nothing more of the channel after it resolves. One that does not listen is no error. */
  unsubscribe(channel: ChannelRef, listener: BrokerListener): Promise<void>;
  /** Gives the log a new epoch unless it has another one than `staleEpoch` already. */
  renew(channel: ChannelRef, staleEpoch: string): Promise<void>;
  /** Forgets all logs and keys of a tenant: whoever reads or writes them next finds new ones. */
  forget(tenant: TenantId): Promise<void>;
  /** Lets go of everything. */
  close(): Promise<void>;
}

/** How long a repeated idempotency key is recognised: 5 minutes, in milliseconds. */
export const IDEMPOTENCY_WINDOW_MS = 300_000;
