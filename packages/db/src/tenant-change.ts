import type { TenantId } from "@pm/core";
import type { TenantRecord } from "./tenant-record.ts";

/**
 * What became of a tenant:
 * - `saved`: it was made, changed, suspended or resumed, and is now as in `record`. Changes in quick succession may be
 *   told as one, and one may be told twice.
 * - `deleted`: it is no longer in the directory.
 * - `reset`: changes were missed, since there were too many at once, or the file went back in time or was restored.
 *   Anything may be different, so look again at every tenant that matters.
 */
export type TenantChange =
  | { readonly kind: "saved"; readonly record: TenantRecord }
  | { readonly kind: "deleted"; readonly tenant: TenantId }
  | { readonly kind: "reset" };

/** Is told of changes; synchronous, and what it throws is logged. Nobody waits for an async one. */
export type TenantChangeListener = (change: TenantChange) => void;

/** Ends a subscription; may be called again. */
export type Unsubscribe = () => void;
