import type { Clock } from "@pm/core";
import { AuthOptionError } from "./auth-option-error.ts";
import { type RateLimit, TICKS_PER_MS } from "./rate-limit-config.ts";

/**
 * One limiter: GCRA (ITU-T I.371, the continuous-state leaky bucket). Full at the start, it lets `maxRequests` pass at
 * once and refills evenly. In no window of time does more pass than `maxRequests` plus what that window refills, and
 * who waits as long as told is let through. A check allocates nothing.
 *
 * Debt is counted in whole units: a unit of cost adds `windowTicks`, a tick pays off `maxRequests`.
 */
export class ConnectionRateLimiter {
  readonly #limit: RateLimit;
  readonly #clock: Clock;
  /** The tick from which on the debt is paid off. */
  #sinceTick = 0;
  #debt = 0;

  /**
   * @param limit made by `resolveRateLimit`; `RateLimiterFactory` takes a configuration
   * @throws AuthOptionError for anything else
   */
  constructor(limit: RateLimit, clock: Clock) {
    if (!(limit.capacity > 0)) throw AuthOptionError.of("limit", "is not one that resolveRateLimit made");
    this.#limit = limit;
    this.#clock = clock;
  }

  /**
   * Takes `cost` and returns 0, or takes nothing and returns the whole milliseconds after which the same check passes,
   * if nothing else does until then. A cost above `maxRequests` never passes: `Infinity`. A cost of 0 always passes; a
   * fraction counts as the next whole number.
   * @throws RangeError for a cost that is negative or NaN
   */
  check(cost = 1): number {
    const { maxRequests, windowTicks, capacity } = this.#limit;
    if (!(cost >= 0)) throw new RangeError(`cost is ${cost}, not a number from 0`);
    const units = Math.ceil(cost);
    if (units > maxRequests) return Number.POSITIVE_INFINITY;
    const now = this.#clock.monotonic() * TICKS_PER_MS;
    const nowTick = Math.max(Math.floor(now), this.#sinceTick);
    const paid = (nowTick - this.#sinceTick) * maxRequests;
    if (paid >= this.#debt) {
      // Nothing is owed. Paying begins with the next whole tick, so that no part of a tick is paid for twice.
      this.#sinceTick = Math.ceil(now);
      this.#debt = units * windowTicks;
      return 0;
    }
    const debt = this.#debt - paid + units * windowTicks;
    if (debt > capacity) {
      const readyTick = nowTick + Math.ceil((debt - capacity) / maxRequests);
      return Math.ceil((readyTick - Math.floor(now)) / TICKS_PER_MS);
    }
    this.#sinceTick = nowTick;
    this.#debt = debt;
    return 0;
  }

  /** True when nothing is owed: forgetting the limiter then changes nothing. */
  isFull(): boolean {
    const ticks = Math.floor(this.#clock.monotonic() * TICKS_PER_MS) - this.#sinceTick;
    return Math.max(0, ticks) * this.#limit.maxRequests >= this.#debt;
  }
}
