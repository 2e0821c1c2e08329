import { integerOption } from "./integer-option.ts";

/** How a TenantLookup is set up. */
export interface TenantLookupOptions {
  /**
   * Questions to the directory at once, of up to 100 tenants each.
   * @default 4
   */
  maxConcurrent?: number | undefined;
  /**
   * Tenants that may be looked up or wait for it; one more is refused with `UNAVAILABLE`.
   * @default 1000
   */
  maxPending?: number | undefined;
  /**
   * Milliseconds that a look-up may take, waiting included.
   * @default 3000
   */
  timeoutMs?: number | undefined;
  /**
   * Milliseconds after which one who was refused may try again.
   * @default 1000
   */
  retryAfterMs?: number | undefined;
  /**
   * Answers that are kept.
   * @default 10_000
   */
  maxCached?: number | undefined;
  /**
   * Milliseconds for which it is kept that a tenant is known.
   * @default 30_000
   */
  cacheMs?: number | undefined;
  /**
   * Milliseconds for which it is kept that a tenant is not known.
   * @default 3000
   */
  unknownCacheMs?: number | undefined;
}

/** The options with nothing left open. */
export type ResolvedTenantLookupOptions = { readonly [Name in keyof TenantLookupOptions]-?: number };

/**
 * Fills in the defaults and checks the ranges.
 * @throws DbError `INVALID_OPTION` with the name of the option in `field`.
 */
export function resolveTenantLookupOptions(options: TenantLookupOptions): ResolvedTenantLookupOptions {
  return {
    maxConcurrent: integerOption("maxConcurrent", options.maxConcurrent ?? 4, { min: 1 }),
    maxPending: integerOption("maxPending", options.maxPending ?? 1000, { min: 1 }),
    timeoutMs: integerOption("timeoutMs", options.timeoutMs ?? 3000, { min: 1 }),
    retryAfterMs: integerOption("retryAfterMs", options.retryAfterMs ?? 1000, { min: 0 }),
    maxCached: integerOption("maxCached", options.maxCached ?? 10_000, { min: 0 }),
    cacheMs: integerOption("cacheMs", options.cacheMs ?? 30_000, { min: 0 }),
    unknownCacheMs: integerOption("unknownCacheMs", options.unknownCacheMs ?? 3000, { min: 0 }),
  };
}
