import {
  type CancelTimer,
  type ChannelRef,
  type Clock,
  type Randomness,
  SystemRandomness,
  systemClock,
  type TenantId,
} from "@pm/core";
import { WsError } from "../ws-error.ts";
import type {
  AppendResult,
  Awaitable,
  Broker,
  BrokerListener,
  LogPage,
  PublicationDraft,
  ReadRequest,
} from "./broker.ts";
import { messageIdOf, type Retention } from "./channel-log.ts";
import { ChunkPool } from "./chunk-pool.ts";
import { holdTotal } from "./memory-budget.ts";
import type { StreamPosition } from "./stream-position.ts";
import { type StoredChannel, TenantLogs } from "./tenant-logs.ts";

/** How a MemoryBroker is set up. */
export interface MemoryBrokerOptions {
  /** @default systemClock */
  readonly clock?: Clock | undefined;
  /** @default SystemRandomness */
  readonly randomness?: Randomness | undefined;
  /**
   * How much of a channel is kept.
   * @default 1000 publications, 1 MiB, 300 s
   */
  readonly retentionOf?: ((channel: ChannelRef) => Retention) | undefined;
  /**
   * Memory of the logs of one tenant.
   * @default 67_108_864
   */
  readonly maxTenantBytes?: number | undefined;
  /**
   * Memory of all logs.
   * @default 536_870_912
   */
  readonly maxTotalBytes?: number | undefined;
}

/** 1000 publications, 1 MiB, 300 s. */
export const DEFAULT_RETENTION: Retention = { count: 1000, bytes: 1_048_576, ageMs: 300_000 };

/** The share of a bound on memory that one chunk may take, so that small bounds hold too. */
const MAX_CHUNK_SHARE = 1 / 64;
const EXPIRE_EVERY_MS = 5_000;

/** Logs in the memory of this process. They end with it; everything else of the promise holds. */
export class MemoryBroker implements Broker {
  readonly #clock: Clock;
  readonly #randomness: Randomness;
  readonly #retentionOf: (channel: ChannelRef) => Retention;
  readonly #maxTenantBytes: number;
  readonly #maxTotalBytes: number;
  readonly #tenants = new Map<TenantId, TenantLogs>();
  readonly #chunks: ChunkPool;
  readonly #cancelExpiry: CancelTimer;
  /** The second of the last look at what is too old; exact enough for what counts in hours. */
  #usedSecs: number;
  #totalBytes = 0;
  #closed = false;

  constructor(options: MemoryBrokerOptions = {}) {
    this.#clock = options.clock ?? systemClock;
    this.#randomness = options.randomness ?? new SystemRandomness();
    this.#retentionOf = options.retentionOf ?? (() => DEFAULT_RETENTION);
    this.#maxTenantBytes = options.maxTenantBytes ?? 67_108_864;
    this.#maxTotalBytes = options.maxTotalBytes ?? 536_870_912;
    this.#chunks = new ChunkPool(Math.min(this.#maxTenantBytes, this.#maxTotalBytes) * MAX_CHUNK_SHARE);
    this.#usedSecs = Math.floor(this.#clock.monotonic() / 1000);
    this.#cancelExpiry = this.#clock.every(EXPIRE_EVERY_MS, () => this.#expire());
  }

  /** What entries and keys take, and what waits for entries to come. */
  get memoryBytes(): number {
    return this.#totalBytes + this.#chunks.freeBytes;
  }

  /** Bytes of memory that all entries and keys take: what is held to the bound. */
  get bytes(): number {
    return this.#totalBytes;
  }

  /** Channels in memory, with entries or without. */
  get channels(): number {
    let channels = 0;
    for (const tenant of this.#tenants.values()) channels += tenant.channels;
    return channels;
  }

  append(channel: ChannelRef, draft: PublicationDraft): Awaitable<AppendResult> {
    try {
      this.#assertOpen();
      const tenant = this.#tenant(channel.tenant);
      const stored = tenant.use(channel, this.#retentionOf, this.#usedSecs);
      if (draft.idempotencyKey !== "") {
        const first = stored.keys?.find(draft.publisher, draft.idempotencyKey, this.#clock.monotonic());
        if (first !== undefined) return new Appended(first.position, true);
        tenant.assertRoomForKey();
      }
      return this.#append(tenant, stored, draft);
    } catch (error) {
      return Promise.reject(error);
    }
  }

  async read(channel: ChannelRef, request: ReadRequest): Promise<LogPage> {
    this.#assertOpen();
    const stored = this.#tenant(channel.tenant).use(channel, this.#retentionOf, this.#usedSecs);
    return stored.read(request);
  }

  async subscribe(channel: ChannelRef, listener: BrokerListener): Promise<void> {
    this.#assertOpen();
    const tenant = this.#tenant(channel.tenant);
    tenant.hold(tenant.use(channel, this.#retentionOf, this.#usedSecs), listener);
  }

  async unsubscribe(channel: ChannelRef, listener: BrokerListener): Promise<void> {
    const tenant = this.#tenants.get(channel.tenant);
    const stored = tenant?.find(channel);
    if (stored !== undefined) tenant?.release(stored, listener);
  }

  async renew(channel: ChannelRef, staleEpoch: string): Promise<void> {
    this.#assertOpen();
    const tenant = this.#tenant(channel.tenant);
    const stored = tenant.find(channel);
    if (stored === undefined || stored.epoch !== staleEpoch) return;
    tenant.renew(stored);
    tellInterrupted(stored);
  }

  async forget(tenant: TenantId): Promise<void> {
    this.#assertOpen();
    const logs = this.#tenants.get(tenant);
    if (logs === undefined) return;
    const renewed = logs.forgetAll();
    if (renewed.length === 0) this.#tenants.delete(tenant);
    for (const stored of renewed) tellInterrupted(stored);
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#cancelExpiry();
    this.#tenants.clear();
    this.#chunks.clear();
    this.#totalBytes = 0;
  }

  #append(tenant: TenantLogs, stored: StoredChannel, draft: PublicationDraft): AppendResult {
    const entry = tenant.append(stored, draft, {
      check: this.#randomness.tag(),
      publishedAtMs: this.#clock.now(),
    });
    const { epoch } = stored;
    const { offset, check } = entry;
    const result = new Appended({ epoch, offset, check });
    if (draft.idempotencyKey !== "") {
      tenant.remember(stored, draft, { result, nowMs: this.#clock.monotonic() });
    }
    if (this.#totalBytes > this.#maxTotalBytes) this.#holdTotal(tenant);
    const { listener, moreListeners } = stored;
    listener?.onEntry(epoch, entry);
    for (const another of moreListeners) another.onEntry(epoch, entry);
    return result;
  }

  #holdTotal(publishing: TenantLogs): void {
    const tenants = this.#tenants.values();
    holdTotal({ tenants, totalBytes: this.#totalBytes, maxBytes: this.#maxTotalBytes, publishing });
  }

  #tenant(id: TenantId): TenantLogs {
    let tenant = this.#tenants.get(id);
    if (tenant === undefined) {
      tenant = new TenantLogs(id, {
        maxBytes: this.#maxTenantBytes,
        newStart: () => ({ epoch: this.#randomness.id(), check: this.#randomness.tag() }),
        pool: this.#chunks,
        account: (bytes) => {
          this.#totalBytes += bytes;
        },
      });
      this.#tenants.set(id, tenant);
    }
    return tenant;
  }

  #expire(): void {
    const now = { wallMs: this.#clock.now(), monotonicMs: this.#clock.monotonic() };
    this.#usedSecs = Math.floor(now.monotonicMs / 1000);
    for (const [id, tenant] of this.#tenants) {
      tenant.expire(now);
      if (tenant.channels === 0) this.#tenants.delete(id);
    }
    this.#chunks.trim();
  }

  #assertOpen(): void {
    if (this.#closed) throw WsError.unavailable("the broker is closed");
  }
}

function tellInterrupted({ listener, moreListeners }: StoredChannel): void {
  listener?.onInterrupted();
  for (const another of moreListeners) another.onInterrupted();
}

/** Makes the id only for those who ask: most publications have no reply. */
class Appended implements AppendResult {
  readonly position: StreamPosition;
  readonly duplicate: boolean;

  constructor(position: StreamPosition, duplicate = false) {
    this.position = position;
    this.duplicate = duplicate;
  }

  get messageId(): string {
    return messageIdOf(this.position.epoch, this.position.offset);
  }
}
