/** Limits how often something happens. `ConnectionRateLimiter` of `@pm/auth` is one. */
export interface RateLimiter {
  /** 0: it may happen, and is counted. Else the milliseconds until it may; nothing is counted. */
  check(cost?: number): number;
  /** True when nothing is owed: a new one would do as well. Those that say so are not kept for idle connections. */
  isFull?(): boolean;
}

/** Makes a limiter for each connection. `RateLimiterFactory` of `@pm/auth` is one. */
export interface RateLimiterSource {
  create(): RateLimiter;
}

/** Limits by key. `KeyedRateLimiter` of `@pm/auth` is one. */
export interface KeyedLimiter {
  check(key: string, cost?: number): number;
}
