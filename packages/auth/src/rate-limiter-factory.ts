import { type Clock, systemClock } from "@pm/core";
import { ConnectionRateLimiter } from "./connection-rate-limiter.ts";
import { type RateLimit, type RateLimitConfig, resolveRateLimit } from "./rate-limit-config.ts";

/** Makes limiters of one configuration: one for each connection. */
export class RateLimiterFactory {
  /** What its limiters hold to. */
  readonly limit: RateLimit;
  readonly #clock: Clock;

  /** @throws AuthOptionError */
  constructor(config: RateLimitConfig = {}, clock: Clock = systemClock) {
    this.limit = resolveRateLimit(config);
    this.#clock = clock;
  }

  /** A limiter that is full. */
  create(): ConnectionRateLimiter {
    return new ConnectionRateLimiter(this.limit, this.#clock);
  }
}
