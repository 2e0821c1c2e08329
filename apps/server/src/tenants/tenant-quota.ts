import { KeyedRateLimiter } from "@pm/auth";
import type { Clock } from "@pm/core";
import type { KeyedLimiter } from "@pm/ws";

/** What a quota a second is made of. */
export interface TenantQuotaOptions {
  /**
   * How much a second a tenant may use; 0 is no limit. Asked for each check, so that a tenant's own quota can change.
   */
  readonly perSecOf: (tenant: string) => number;
  /** What a single check may cost; the burst is never less. */
  readonly largestCost: number;
  /** Tenants that are remembered. */
  readonly maxTenants: number;
  readonly clock: Clock;
}

/** A quota as a limiter takes it: cost is counted in whole units of `unit`. */
interface Rate {
  readonly maxRequests: number;
  readonly windowSecs: number;
  readonly unit: number;
}

interface RateLimiters {
  readonly perSec: number;
  readonly unit: number;
  readonly limiters: KeyedRateLimiter;
}

/** Different quotas that are remembered; the oldest goes, and its tenants begin anew. */
const MAX_RATES = 1000;
/** A limiter holds at most 4 × 10^9 of requests times seconds; a little is left for rounding. */
const MAX_REQUEST_SECS = 3.9e9;

/** Limits what each tenant does in a second; the burst is what a second allows. A changed quota begins anew. */
export class TenantQuota implements KeyedLimiter {
  readonly #options: TenantQuotaOptions;
  readonly #byRate = new Map<number, RateLimiters>();
  /** That of the last check: most tenants have the same. */
  #last: RateLimiters | undefined;

  constructor(options: TenantQuotaOptions) {
    this.#options = options;
  }

  check(tenant: string, cost = 1): number {
    const perSec = this.#options.perSecOf(tenant);
    if (perSec === 0) return 0;
    if (this.#last?.perSec !== perSec) this.#last = this.#byRate.get(perSec) ?? this.#add(perSec);
    const { limiters, unit } = this.#last;
    return limiters.check(tenant, Math.ceil(cost / unit));
  }

  #add(perSec: number): RateLimiters {
    const { largestCost, maxTenants: maxKeys, clock } = this.#options;
    const { maxRequests, windowSecs, unit } = rateOf(perSec, largestCost);
    const added = { perSec, unit, limiters: new KeyedRateLimiter({ maxRequests, windowSecs, maxKeys, clock }) };
    for (const oldest of this.#byRate.keys()) {
      if (this.#byRate.size < MAX_RATES) break;
      this.#byRate.delete(oldest);
    }
    this.#byRate.set(perSec, added);
    return added;
  }
}

/**
 * The quota in the units of a limiter. The unit is 1 except where a limiter could not count that far: for quotas of
 * gigabytes a second, and for those that are very small against a single message.
 */
export function rateOf(perSec: number, largestCost: number): Rate {
  const burst = Math.max(perSec, largestCost);
  const unit = Math.max(1, Math.ceil(burst / perSec / (MAX_REQUEST_SECS / burst)));
  const maxRequests = Math.ceil(burst / unit);
  // Upwards, so that rounding never gives more than the quota.
  return { maxRequests, windowSecs: Math.ceil(((maxRequests * unit) / perSec) * 1000) / 1000, unit };
}
