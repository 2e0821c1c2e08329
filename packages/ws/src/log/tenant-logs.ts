import { type ChannelRef, nameInTenant, RecencyMap, type TenantId } from "@pm/core";
import { WsError } from "../ws-error.ts";
import type { AppendResult, BrokerListener, LogEntry, PublicationDraft } from "./broker.ts";
import { ChannelLog, type LogStart, type Retention } from "./channel-log.ts";
import type { ChunkPool } from "./chunk-pool.ts";
import { EvictionQueue } from "./eviction-queue.ts";
import { IdempotencyWindow } from "./idempotency-window.ts";
import type { EntryMarks } from "./log-chunk.ts";

/** What a channel keeps when its entries have gone: 24 hours after its last use, in seconds. */
export const META_LIFETIME_SECS = 86_400;
/** Channels without a subscriber that a tenant may have in memory; the least recently used goes first. */
export const MAX_IDLE_CHANNELS = 10_000;

const NONE: readonly BrokerListener[] = [];

/** The log of a channel, with what a tenant keeps beside it. */
export class StoredChannel extends ChannelLog {
  /** A channel that has one is not forgotten. Few have more, and the list is for those. */
  listener: BrokerListener | undefined;
  /** Replaced when they change. */
  moreListeners: readonly BrokerListener[] = NONE;
  readonly retention: Retention;
  keys: IdempotencyWindow | undefined;
  /** Whole seconds of the monotonic clock: milliseconds would be in a box. */
  lastUsedSecs = 0;
  /** Tells the channels of the tenant apart. */
  readonly key: string;

  constructor(channel: ChannelRef, retention: Retention, { start, pool }: { start: LogStart; pool: ChunkPool }) {
    super(channel.name, start, pool);
    this.key = nameInTenant(channel);
    this.retention = retention;
  }
}

/** What the broker marks an entry with. */
export type EntryStamp = Omit<EntryMarks, "turn">;

/** What a tenant's logs are held to, and whom they tell. */
export interface TenantLogsOptions {
  /** Bytes of memory for entries and idempotency keys. */
  readonly maxBytes: number;
  readonly newStart: () => LogStart;
  readonly pool: ChunkPool;
  /** Told of every change of `bytes`, by how much. */
  readonly account: (bytes: number) => void;
}

/** All logs of one tenant, within its bounds. */
export class TenantLogs {
  readonly tenant: TenantId;
  readonly #maxBytes: number;
  readonly #newStart: () => LogStart;
  readonly #pool: ChunkPool;
  readonly #account: (bytes: number) => void;
  readonly #idle = new RecencyMap<StoredChannel>();
  readonly #active = new Map<string, StoredChannel>();
  /** Made when the tenant is over its bound, and let go at the next look at what is too old. */
  #queue: EvictionQueue | undefined;
  #entryBytes = 0;
  #keyBytes = 0;
  /** Appends. */
  #turn = 0;

  constructor(tenant: TenantId, options: TenantLogsOptions) {
    this.tenant = tenant;
    this.#maxBytes = options.maxBytes;
    this.#newStart = options.newStart;
    this.#pool = options.pool;
    this.#account = options.account;
  }

  /** Bytes of memory that entries and idempotency keys take. */
  get bytes(): number {
    return this.#entryBytes + this.#keyBytes;
  }

  get channels(): number {
    return this.#idle.size + this.#active.size;
  }

  find(channel: ChannelRef): StoredChannel | undefined {
    const key = nameInTenant(channel);
    return this.#active.get(key) ?? this.#idle.get(key);
  }

  /** The channel, made when it is new, and marked as used. */
  use(channel: ChannelRef, retentionOf: (channel: ChannelRef) => Retention, nowSecs: number): StoredChannel {
    const key = nameInTenant(channel);
    const active = this.#active.get(key);
    if (active !== undefined) return active;
    const stored = this.#idle.get(key) ?? this.#add(channel, retentionOf(channel));
    stored.lastUsedSecs = nowSecs;
    return stored;
  }

  /** One more listener; one that listens already changes nothing. */
  hold(stored: StoredChannel, listener: BrokerListener): void {
    if (stored.listener === listener || stored.moreListeners.includes(listener)) return;
    if (stored.listener === undefined) stored.listener = listener;
    else stored.moreListeners = [...stored.moreListeners, listener];
    this.#idle.delete(stored.key);
    this.#active.set(stored.key, stored);
  }

  /** One fewer. */
  release(stored: StoredChannel, listener: BrokerListener): void {
    if (stored.listener !== listener) {
      stored.moreListeners = stored.moreListeners.filter((other) => other !== listener);
      return;
    }
    const [next, ...more] = stored.moreListeners;
    stored.listener = next;
    stored.moreListeners = more.length === 0 ? NONE : more;
    if (next !== undefined) return;
    this.#active.delete(stored.key);
    this.#becomeIdle(stored);
  }

  append(stored: StoredChannel, draft: PublicationDraft, { check, publishedAtMs }: EntryStamp): LogEntry {
    const { memoryBytes, count } = stored;
    const entry = stored.append(draft, { check, publishedAtMs, turn: this.#turn++ });
    if (count === 0) this.#queue?.add(stored);
    stored.retain(stored.retention, publishedAtMs);
    this.#chargeEntries(stored.memoryBytes - memoryBytes);
    while (this.bytes > this.#maxBytes && this.evictOldest({ sparesNewest: true }) > 0);
    return entry;
  }

  /** @throws WsError `RATE_LIMIT_EXCEEDED` when the tenant's keys alone take half of its memory. */
  assertRoomForKey(): void {
    if (this.#keyBytes > this.#maxBytes / 2) throw WsError.keyBudget(this.tenant, this.#keyBytes, this.#maxBytes / 2);
  }

  remember(stored: StoredChannel, draft: PublicationDraft, kept: { result: AppendResult; nowMs: number }): void {
    stored.keys ??= new IdempotencyWindow();
    this.#chargeKeys(stored.keys.remember(draft.publisher, draft.idempotencyKey, kept));
  }

  /** Evicts the tenant's oldest chunk, or spares it if it is the one last written; returns the bytes that came free. */
  evictOldest({ sparesNewest }: { readonly sparesNewest: boolean }): number {
    this.#queue ??= new EvictionQueue(this.#logs());
    const bytes = this.#queue.evictOldest(sparesNewest ? this.#turn - 1 : this.#turn);
    this.#chargeEntries(0 - bytes);
    return bytes;
  }

  /** Forgets what is in a channel: its log is an empty one of a new epoch. */
  renew(stored: StoredChannel): void {
    this.#chargeEntries(0 - stored.restart(this.#newStart()));
    this.#chargeKeys(0 - (stored.keys?.bytes ?? 0));
    stored.keys = undefined;
  }

  /** Forgets all that was published. Returns the channels with a subscription of this process, whose logs are new. */
  forgetAll(): StoredChannel[] {
    for (const stored of this.#idle.values()) this.#forget(stored);
    const active = [...this.#active.values()];
    for (const stored of active) this.renew(stored);
    return active;
  }

  /** Lets go of what is too old: entries, keys, and channels that nobody used for 24 hours. */
  expire(now: { readonly wallMs: number; readonly monotonicMs: number }): void {
    const nowSecs = Math.floor(now.monotonicMs / 1000);
    for (const stored of this.#active.values()) {
      stored.lastUsedSecs = nowSecs;
      this.#expireChannel(stored, now);
    }
    for (const stored of this.#idle.values()) {
      this.#expireChannel(stored, now);
      if (stored.lastUsedSecs + META_LIFETIME_SECS < nowSecs) this.#forget(stored);
    }
    // Written only where there is one: as long as it never was, V8 compiles appends without a look at it.
    if (this.#queue !== undefined) this.#queue = undefined;
  }

  *#logs(): Iterable<ChannelLog> {
    yield* this.#active.values();
    yield* this.#idle.values();
  }

  #add(channel: ChannelRef, retention: Retention): StoredChannel {
    const stored = new StoredChannel(channel, retention, { start: this.#newStart(), pool: this.#pool });
    this.#becomeIdle(stored);
    return stored;
  }

  #becomeIdle(stored: StoredChannel): void {
    this.#idle.set(stored.key, stored);
    const { oldest } = this.#idle;
    if (oldest !== undefined && this.#idle.size > MAX_IDLE_CHANNELS) this.#forget(oldest.value);
  }

  #expireChannel(stored: StoredChannel, now: { readonly wallMs: number; readonly monotonicMs: number }): void {
    if (stored.count > 0) this.#chargeEntries(0 - stored.retain(stored.retention, now.wallMs));
    if (stored.keys === undefined) return;
    this.#chargeKeys(0 - stored.keys.expire(now.monotonicMs));
    if (stored.keys.size === 0) stored.keys = undefined;
  }

  #forget(stored: StoredChannel): void {
    this.#idle.delete(stored.key);
    this.renew(stored);
  }

  // What comes free is subtracted from 0: the negative of nothing would be −0, which is no small integer to V8. It would
  // put every sum that it is added to in a box, and throw away all code that was compiled without one.
  #chargeEntries(bytes: number): void {
    this.#entryBytes += bytes;
    this.#account(bytes);
  }

  #chargeKeys(bytes: number): void {
    this.#keyBytes += bytes;
    this.#account(bytes);
  }
}
