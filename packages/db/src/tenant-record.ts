import type { TenantId } from "@pm/core";

/** A suspended tenant is known, and may not connect. */
export type TenantState = "active" | "suspended";

/** The largest limit of what is counted: 2^32 − 1, so that it fits where others keep it as 32 bits. */
export const MAX_COUNT_LIMIT: number = 2 ** 32 - 1;

/**
 * A tenant's own limits, integers: of bytes up to 2^53 − 1, the others up to 2^32 − 1. One that is absent is as the
 * server's configuration says.
 */
export interface TenantLimits {
  /** Connections at once; at least 1. */
  readonly maxConnections?: number | undefined;
  /** Publications a second; 0 is no limit. */
  readonly publicationsPerSec?: number | undefined;
  /** Bytes a second of publications; 0 is no limit. */
  readonly bytesPerSec?: number | undefined;
  /** Channels whose logs are kept; at least 1. */
  readonly maxChannels?: number | undefined;
}

/** What the directory knows of one tenant. */
export interface TenantRecord {
  readonly tenant: TenantId;
  readonly state: TenantState;
  /** A name for people; never an identity. */
  readonly displayName?: string | undefined;
  readonly limits: TenantLimits;
  readonly createdAtMs: number;
  readonly updatedAtMs: number;
}
