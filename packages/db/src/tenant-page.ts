import { isTenantId } from "@pm/core";
import { TenantError } from "./tenant-error.ts";
import type { TenantRecord, TenantState } from "./tenant-record.ts";
import type { PageSelection } from "./tenant-table.ts";

/** Which tenants to list. */
export interface TenantListOptions {
  /** `nextCursor` of the page before; none for the first page. */
  readonly cursor?: string | undefined;
  /**
   * Tenants a page, 1 to 1000.
   * @default 100
   */
  readonly limit?: number | undefined;
  /** Only those in this state. */
  readonly state?: TenantState | undefined;
}

/** Some of the tenants, in the order of their ids. */
export interface TenantPage {
  readonly tenants: readonly TenantRecord[];
  /** Undefined on the last page. Opaque; it stays good when tenants come and go, the one it was made from too. */
  readonly nextCursor: string | undefined;
}

const MAX_LIMIT = 1000;

/**
 * Checks what is asked for.
 * @throws TenantError `INVALID_MESSAGE` with field `limit` or `cursor`.
 */
export function parseListOptions({ cursor, limit = 100, state }: TenantListOptions): PageSelection {
  if (!Number.isInteger(limit) || limit < 1 || limit > MAX_LIMIT) {
    throw TenantError.invalid("limit", limit, `an integer from 1 to ${MAX_LIMIT}`);
  }
  return { after: cursor === undefined ? "" : parseCursor(cursor), limit, state };
}

/** Makes a page of one row more than was asked for, which says whether there is another page. */
export function pageOf(rows: readonly TenantRecord[], limit: number): TenantPage {
  const tenants = rows.slice(0, limit);
  const last = tenants.at(-1);
  const hasMore = rows.length > limit && last !== undefined;
  return { tenants, nextCursor: hasMore ? Buffer.from(last.tenant).toString("base64url") : undefined };
}

function parseCursor(cursor: string): string {
  const tenant = Buffer.from(cursor, "base64url").toString();
  if (!isTenantId(tenant)) throw TenantError.invalid("cursor", cursor, "a cursor of this list");
  return tenant;
}
