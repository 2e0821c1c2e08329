import { type Clock, RecencyMap, systemClock } from "@pm/core";
import { resolveCount } from "./auth-option-error.ts";
import type { ConnectionRateLimiter } from "./connection-rate-limiter.ts";
import type { RateLimitConfig } from "./rate-limit-config.ts";
import { RateLimiterFactory } from "./rate-limiter-factory.ts";

/** What a keyed limiter needs beside its rate. */
export interface KeyedRateLimiterOptions extends RateLimitConfig {
  /**
   * Keys that are remembered. Beyond them the least recently checked is forgotten, and begins full when it comes back.
   * @default 10_000
   */
  readonly maxKeys?: number | undefined;
  /** @default the machine's */
  readonly clock?: Clock | undefined;
}

/** One limiter a key: a tenant, a user, an address. Full limiters are forgotten as checks go by, without a timer. */
export class KeyedRateLimiter {
  readonly #factory: RateLimiterFactory;
  readonly #maxKeys: number;
  readonly #limiters = new RecencyMap<ConnectionRateLimiter>();

  /** @throws AuthOptionError */
  constructor(options: KeyedRateLimiterOptions = {}) {
    this.#factory = new RateLimiterFactory(options, options.clock ?? systemClock);
    this.#maxKeys = resolveCount("maxKeys", options.maxKeys, { min: 1, max: 10_000_000, byDefault: 10_000 });
  }

  /** Keys that are remembered. */
  get size(): number {
    return this.#limiters.size;
  }

  /** As `ConnectionRateLimiter.check`, for one key. */
  check(key: string, cost = 1): number {
    const waitMs = (this.#limiters.get(key) ?? this.#add(key)).check(cost);
    // Up to two at a time, so that full ones go sooner than new ones come.
    if (this.#forgetOldestIfFull()) this.#forgetOldestIfFull();
    return waitMs;
  }

  /** Forgets a key now, as when a tenant is deleted. */
  forget(key: string): void {
    this.#limiters.delete(key);
  }

  #add(key: string): ConnectionRateLimiter {
    const { oldest, size } = this.#limiters;
    if (oldest !== undefined && size >= this.#maxKeys) this.#limiters.delete(oldest.key);
    const limiter = this.#factory.create();
    this.#limiters.set(key, limiter);
    return limiter;
  }

  #forgetOldestIfFull(): boolean {
    const { oldest } = this.#limiters;
    if (oldest?.value.isFull() !== true) return false;
    this.#limiters.delete(oldest.key);
    return true;
  }
}
