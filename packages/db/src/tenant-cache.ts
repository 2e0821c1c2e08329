import type { Clock, TenantId } from "@pm/core";
import type { TenantRecord } from "./tenant-record.ts";

/** The bounds of a TenantCache. */
export interface TenantCacheOptions {
  readonly maxCached: number;
  readonly cacheMs: number;
  readonly unknownCacheMs: number;
}

/** What a directory has said about a tenant; no record: it does not have it. */
export interface TenantAnswer {
  readonly record: TenantRecord | undefined;
}

interface Kept extends TenantAnswer {
  readonly untilMs: number;
}

/** Answers of a directory for a short time, the least recently used given up first. */
export class TenantCache {
  readonly #options: TenantCacheOptions;
  readonly #clock: Clock;
  readonly #kept = new Map<TenantId, Kept>();

  constructor(options: TenantCacheOptions, clock: Clock) {
    this.#options = options;
    this.#clock = clock;
  }

  get size(): number {
    return this.#kept.size;
  }

  get(tenant: TenantId): TenantAnswer | undefined {
    const kept = this.#kept.get(tenant);
    if (kept === undefined) return undefined;
    this.#kept.delete(tenant);
    if (kept.untilMs <= this.#clock.monotonic()) return undefined;
    this.#kept.set(tenant, kept);
    return kept;
  }

  set(tenant: TenantId, record: TenantRecord | undefined): void {
    const { maxCached, cacheMs, unknownCacheMs } = this.#options;
    this.#kept.delete(tenant);
    this.#kept.set(tenant, {
      record,
      untilMs: this.#clock.monotonic() + (record === undefined ? unknownCacheMs : cacheMs),
    });
    const oldest = this.#kept.keys().next();
    if (this.#kept.size > maxCached && oldest.done !== true) this.#kept.delete(oldest.value);
  }

  /** Puts a new answer in the place of an old one; without an old one nothing is kept. */
  replace(tenant: TenantId, record: TenantRecord | undefined): void {
    if (this.get(tenant) !== undefined) this.set(tenant, record);
  }

  /** Forgets all. */
  clear(): void {
    this.#kept.clear();
  }
}
