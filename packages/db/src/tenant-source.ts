import type { TenantId } from "@pm/core";
import type { TenantChangeListener, Unsubscribe } from "./tenant-change.ts";
import type { TenantRecord } from "./tenant-record.ts";

/** Where tenants are looked up: the part of a directory that TenantLookup needs. */
export interface TenantSource {
  /** Those of the tenants that exist, by id. Rejects when it cannot say. */
  findMany(tenants: readonly TenantId[]): Promise<ReadonlyMap<TenantId, TenantRecord>>;
  /** Calls back after every change that `findMany` would now show. */
  subscribe(listener: TenantChangeListener): Unsubscribe;
}
