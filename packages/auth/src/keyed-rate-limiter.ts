import { type Clock, systemClock } from "@pm/core";
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

/** Keys looked at for forgetting on each check: two, so that the full ones are gone sooner than new ones come. */
const SWEPT_PER_CHECK = 2;

/** One limiter a key: a tenant, a user, an address. Full limiters are forgotten as checks go by, without a timer. */
export class KeyedRateLimiter {
  readonly #factory: RateLimiterFactory;
  readonly #maxKeys: number;
  /** Least recently checked first. */
  readonly #limiters = new Map<string, ConnectionRateLimiter>();

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
    const limiter = this.#limiters.get(key) ?? this.#factory.create();
    const waitMs = limiter.check(cost);
    this.#limiters.delete(key);
    this.#limiters.set(key, limiter);
    this.#forget();
    return waitMs;
  }

  /** Forgets a key now, as when a tenant is deleted. */
  forget(key: string): void {
    this.#limiters.delete(key);
  }

  #forget(): void {
    let left = SWEPT_PER_CHECK;
    for (const [key, limiter] of this.#limiters) {
      const isOver = this.#limiters.size > this.#maxKeys;
      if (left-- === 0 || !(isOver || limiter.isFull())) return;
      this.#limiters.delete(key);
    }
  }
}
