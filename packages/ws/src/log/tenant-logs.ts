import { type ChannelName, type ChannelRef, RecencyMap, type TenantId } from "@pm/core";
import { WsError } from "../ws-error.ts";
import type { AppendResult, BrokerListener, LogEntry, PublicationDraft } from "./broker.ts";
import type { ChannelLog, Retention } from "./channel-log.ts";
import { EvictionQueue } from "./eviction-queue.ts";
import { IdempotencyWindow } from "./idempotency-window.ts";
import type { EntryMarks } from "./log-chunk.ts";

/** What a channel keeps when its entries have gone: 24 hours after its last use, in seconds. */
export const META_LIFETIME_SECS = 86_400;
/** Channels without a subscriber that a tenant may have in memory; the least recently used goes first. */
export const MAX_IDLE_CHANNELS = 10_000;

const NONE: readonly BrokerListener[] = [];

/** A channel of a tenant in memory. */
export interface StoredChannel {
  readonly key: string;
  log: ChannelLog;
  keys: IdempotencyWindow | undefined;
  readonly retention: Retention;
  /** A subscription of this process; a channel that has one is not forgotten. Few have more, and the list is for those. */
  listener: BrokerListener | undefined;
  /** Replaced when they change. */
  moreListeners: readonly BrokerListener[];
}

/** What the broker marks an entry with. */
export type EntryStamp = Omit<EntryMarks, "turn">;

/** What makes a new log. */
export type MakeLog = (channel: ChannelName) => ChannelLog;

/** What a tenant's logs are held to, and whom they tell. */
export interface TenantLogsOptions {
  /** Bytes of memory for entries and idempotency keys. */
  readonly maxBytes: number;
  readonly makeLog: MakeLog;
  /** Told of every change of `bytes`, by how much. */
  readonly account: (bytes: number) => void;
}

/** All logs of one tenant, within its bounds. */
export class TenantLogs {
  readonly tenant: TenantId;
  readonly #maxBytes: number;
  readonly #makeLog: MakeLog;
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
    this.#makeLog = options.makeLog;
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
    const key = nameIn(channel);
    return this.#active.get(key) ?? this.#idle.get(key);
  }

  /** The channel, made when it is new, and marked as used. */
  use(channel: ChannelRef, retentionOf: (channel: ChannelRef) => Retention, nowSecs: number): StoredChannel {
    const key = nameIn(channel);
    const active = this.#active.get(key);
    if (active !== undefined) return active;
    const stored = this.#idle.get(key) ?? this.#add(channel, retentionOf(channel));
    stored.log.lastUsedSecs = nowSecs;
    return stored;
  }

  /** One more subscription of this process. */
  hold(stored: StoredChannel, listener: BrokerListener): void {
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
    const { log } = stored;
    const { memoryBytes, count } = log;
    const entry = log.append(draft, { check, publishedAtMs, turn: this.#turn++ });
    if (count === 0) this.#queue?.add(log);
    log.retain(stored.retention, publishedAtMs);
    this.#chargeEntries(log.memoryBytes - memoryBytes);
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

  /** Replaces the log of a channel by an empty one of a new epoch. */
  renew(stored: StoredChannel): void {
    const { channel, lastUsedSecs } = stored.log;
    this.#discard(stored);
    stored.log = this.#makeLog(channel);
    stored.log.lastUsedSecs = lastUsedSecs;
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
      stored.log.lastUsedSecs = nowSecs;
      this.#expireChannel(stored, now);
    }
    for (const stored of this.#idle.values()) {
      this.#expireChannel(stored, now);
      if (stored.log.lastUsedSecs + META_LIFETIME_SECS < nowSecs) this.#forget(stored);
    }
    // Written only where there is one: as long as it never was, V8 compiles appends without a look at it.
    if (this.#queue !== undefined) this.#queue = undefined;
  }

  *#logs(): Iterable<ChannelLog> {
    for (const { log } of this.#active.values()) yield log;
    for (const { log } of this.#idle.values()) yield log;
  }

  #add(channel: ChannelRef, retention: Retention): StoredChannel {
    const stored: StoredChannel = {
      key: nameIn(channel),
      log: this.#makeLog(channel.name),
      keys: undefined,
      retention,
      listener: undefined,
      moreListeners: NONE,
    };
    this.#becomeIdle(stored);
    return stored;
  }

  #becomeIdle(stored: StoredChannel): void {
    this.#idle.set(stored.key, stored);
    const { oldest } = this.#idle;
    if (oldest !== undefined && this.#idle.size > MAX_IDLE_CHANNELS) this.#forget(oldest.value);
  }

  #expireChannel(stored: StoredChannel, now: { readonly wallMs: number; readonly monotonicMs: number }): void {
    if (stored.log.count > 0) this.#chargeEntries(0 - stored.log.retain(stored.retention, now.wallMs));
    if (stored.keys === undefined) return;
    this.#chargeKeys(0 - stored.keys.expire(now.monotonicMs));
    if (stored.keys.size === 0) stored.keys = undefined;
  }

  #forget(stored: StoredChannel): void {
    this.#idle.delete(stored.key);
    this.#discard(stored);
  }

  #discard(stored: StoredChannel): void {
    while (stored.log.count > 0) this.#chargeEntries(0 - stored.log.evictChunk());
    this.#chargeKeys(0 - (stored.keys?.bytes ?? 0));
    stored.keys = undefined;
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

/** Tells the channels of one tenant apart; a channel name has no NUL. */
function nameIn({ name, user }: ChannelRef): string {
  return user === undefined ? name : `${name}\0${user}`;
}
