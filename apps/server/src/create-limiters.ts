import { RateLimiterFactory } from "@pm/auth";
import type { Clock } from "@pm/core";
import type { KeyedLimiter, RateLimiterSource } from "@pm/ws";
import type { Config } from "./config/config.ts";
import type { TenantAdmission } from "./tenants/tenant-admission.ts";
import { TenantQuota } from "./tenants/tenant-quota.ts";

/** What limits connections and tenants. */
export interface Limiters {
  readonly messageLimiters: RateLimiterSource;
  readonly subscribeLimiters: RateLimiterSource;
  readonly tenantPublications: KeyedLimiter | undefined;
  readonly tenantBytes: KeyedLimiter | undefined;
}

/**
 * Subscribes and Unsubscribes a second, after a burst of twice the subscriptions, so that a reconnect is never too
 * much.
 */
const SUBSCRIBES_PER_SEC = 20;

/** The limiters of a configuration. With a directory, a tenant's own quotas go before those of the configuration. */
export function createLimiters(config: Config, admission: TenantAdmission | undefined, clock: Clock): Limiters {
  const burst = 2 * config.maxSubscriptions;
  const { rateLimitRequests: maxRequests, rateLimitWindowSecs: windowSecs, maxTotalConnections: maxTenants } = config;
  const quota = (
    perSec: number,
    name: "publicationsPerSec" | "bytesPerSec",
    largestCost: number,
  ): KeyedLimiter | undefined => {
    if (perSec === 0 && admission === undefined) return undefined;
    const perSecOf = (tenant: string): number => admission?.limitsOf(tenant)?.[name] ?? perSec;
    return new TenantQuota({ perSecOf, largestCost, maxTenants, clock });
  };
  return {
    messageLimiters: new RateLimiterFactory({ maxRequests, windowSecs }, clock),
    subscribeLimiters: new RateLimiterFactory({ maxRequests: burst, windowSecs: burst / SUBSCRIBES_PER_SEC }, clock),
    tenantPublications: quota(config.tenantPublicationsPerSec, "publicationsPerSec", 1),
    tenantBytes: quota(config.tenantBytesPerSec, "bytesPerSec", config.maxMessageBytes),
  };
}
