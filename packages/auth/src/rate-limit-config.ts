import { AuthOptionError } from "./auth-option-error.ts";

/** How much may pass in which time. The burst is `maxRequests`, the refill `maxRequests` in `windowSecs`. */
export interface RateLimitConfig {
  /**
   * What may pass at once, in whatever unit the cost of a check has.
   * @default 100
   */
  readonly maxRequests?: number | undefined;
  /**
   * Seconds in which an empty limiter fills up again; counted in whole milliseconds.
   * @default 60
   */
  readonly windowSecs?: number | undefined;
}

/** The resolved form, in the units of the limiter: whole numbers, so that nothing is lost to rounding. */
export interface RateLimit {
  readonly maxRequests: number;
  readonly windowMs: number;
  /** Ticks in the window: what one unit of cost weighs. */
  readonly windowTicks: number;
  /** The debt at which nothing more passes: `maxRequests` × `windowTicks`. */
  readonly capacity: number;
}

/** A power of two, so that a time in milliseconds times this loses no bit. */
export const TICKS_PER_MS = 1024;
/** Twice the capacity of the largest limit stays below 2^53. */
const MAX_REQUEST_SECS = 4e9;

/**
 * Fills in defaults and checks.
 * @throws AuthOptionError for anything but a whole `maxRequests` from 1 and a `windowSecs` from 0.001, whose product is
 * at most 4 × 10^9
 */
export function resolveRateLimit(config: RateLimitConfig = {}): RateLimit {
  const maxRequests = config.maxRequests ?? 100;
  const windowSecs = config.windowSecs ?? 60;
  const windowMs = Math.round(windowSecs * 1000);
  if (!Number.isSafeInteger(maxRequests) || maxRequests < 1) {
    throw AuthOptionError.of("maxRequests", `is ${maxRequests}, not a whole number from 1`);
  }
  if (!(windowMs >= 1)) throw AuthOptionError.of("windowSecs", `is ${windowSecs}, not at least 0.001`);
  if (!((maxRequests * windowMs) / 1000 <= MAX_REQUEST_SECS)) {
    const reason = `of ${windowSecs} times maxRequests of ${maxRequests} is over ${MAX_REQUEST_SECS}`;
    throw AuthOptionError.of("windowSecs", reason);
  }
  const windowTicks = windowMs * TICKS_PER_MS;
  return { maxRequests, windowMs, windowTicks, capacity: maxRequests * windowTicks };
}
