import { isTenantId, parseTenantId, type TenantId } from "@pm/core";
import type { SqlDatabase, SqlRow, SqlValue } from "./sql-database.ts";
import { MAX_COUNT_LIMIT, type TenantLimits, type TenantRecord, type TenantState } from "./tenant-record.ts";

/** Which part of the table a page is. */
export interface PageSelection {
  /** The page begins after this tenant; an empty string is before all. */
  readonly after: string;
  readonly limit: number;
  readonly state: TenantState | undefined;
}

/** The changes since a number, each tenant once, in the order of their last change. */
export interface ChangedTenants {
  readonly tenants: readonly TenantId[];
  /** How many others there were, whose ids cannot be those of tenants. */
  readonly unreadable: number;
  /** The number of the last of them: changes after it are still to be asked for. */
  readonly lastSeq: number;
  /** True when changes after that number are no longer there. */
  readonly incomplete: boolean;
}

/** The largest time that a Date has (ECMA-262, section 21.4.1.1). */
const MAX_TIME_MS = 8_640_000_000_000_000;
/**
 * The columns as they are read. What another tool wrote may be larger than any record has, and is brought into range.
 */
const COLUMNS = `
  tenant_id, state, display_name, bytes_per_sec,
  min(max_connections, ${MAX_COUNT_LIMIT}) AS max_connections,
  min(publications_per_sec, ${MAX_COUNT_LIMIT}) AS publications_per_sec,
  min(max_channels, ${MAX_COUNT_LIMIT}) AS max_channels,
  max(0, min(created_at_ms, ${MAX_TIME_MS})) AS created_at_ms,
  max(0, min(updated_at_ms, ${MAX_TIME_MS})) AS updated_at_ms`;
const FIND = `SELECT ${COLUMNS} FROM tenants WHERE tenant_id = ?`;
const UPSERT = `
  INSERT INTO tenants (tenant_id, state, display_name, max_connections, publications_per_sec, bytes_per_sec,
    max_channels, created_at_ms, updated_at_ms)
  VALUES (:tenant, :state, :displayName, :maxConnections, :publicationsPerSec, :bytesPerSec,
    :maxChannels, :createdAtMs, :updatedAtMs)
  ON CONFLICT (tenant_id) DO UPDATE SET state = excluded.state, display_name = excluded.display_name,
    max_connections = excluded.max_connections, publications_per_sec = excluded.publications_per_sec,
    bytes_per_sec = excluded.bytes_per_sec, max_channels = excluded.max_channels,
    updated_at_ms = excluded.updated_at_ms`;
/** Without ids that have a NUL, which the CHECK of the table does not look behind. */
const PAGE = `
  SELECT ${COLUMNS} FROM tenants WHERE tenant_id > :after AND (:state IS NULL OR state = :state)
    AND length(CAST(tenant_id AS BLOB)) = length(tenant_id)
  ORDER BY tenant_id LIMIT :limit`;
const CHANGED = "SELECT tenant_id, max(seq) AS seq FROM tenant_changes WHERE seq > ? GROUP BY tenant_id ORDER BY seq";

/** The tables of the directory as records. */
export class TenantTable {
  readonly #db: SqlDatabase;

  constructor(db: SqlDatabase) {
    this.#db = db;
  }

  find(tenant: TenantId): TenantRecord | undefined {
    const row = this.#db.get(FIND, [tenant]);
    return row === undefined ? undefined : recordOf(row);
  }

  /** Inserts or overwrites. */
  save(record: TenantRecord): void {
    const { tenant, state, displayName, limits, createdAtMs, updatedAtMs } = record;
    this.#db.run(UPSERT, {
      tenant,
      state,
      displayName: displayName ?? null,
      maxConnections: limits.maxConnections ?? null,
      publicationsPerSec: limits.publicationsPerSec ?? null,
      bytesPerSec: limits.bytesPerSec ?? null,
      maxChannels: limits.maxChannels ?? null,
      createdAtMs,
      updatedAtMs,
    });
  }

  /** True when it was there. */
  delete(tenant: TenantId): boolean {
    return this.#db.run("DELETE FROM tenants WHERE tenant_id = ?", [tenant]).changes > 0;
  }

  /** In the order of the bytes of their ids. */
  page({ after, limit, state }: PageSelection): TenantRecord[] {
    return this.#db.all(PAGE, { after, limit, state: state ?? null }).map(recordOf);
  }

  /** A number that is another one after another connection has committed. */
  dataVersion(): number {
    return Number(this.#db.get("PRAGMA data_version")?.["data_version"]);
  }

  lastSeq(): number {
    return Number(this.#db.get("SELECT max(seq) AS seq FROM tenant_changes")?.["seq"] ?? 0);
  }

  changedSince(seq: number): ChangedTenants {
    // Another process may commit between these reads. So the number is that of the last row that was read, and the
    // first is asked for last: what comes in between is read the next time, and what goes in between is seen to be
    // gone.
    const last = this.lastSeq();
    const rows = this.#db.all(CHANGED, [seq]);
    const first = this.#db.get("SELECT min(seq) AS seq FROM tenant_changes")?.["seq"];
    const wentBack = last < seq;
    const tenants = rows.map((row) => row["tenant_id"]).filter(isTenantId);
    return {
      tenants,
      unreadable: rows.length - tenants.length,
      lastSeq: wentBack ? last : Number(rows.at(-1)?.["seq"] ?? seq),
      incomplete: wentBack || Number(first ?? 0) > seq + 1,
    };
  }
}

function recordOf(row: SqlRow): TenantRecord {
  return {
    tenant: parseTenantId(row["tenant_id"]),
    state: row["state"] === "active" ? "active" : "suspended",
    displayName: typeof row["display_name"] === "string" ? row["display_name"] : undefined,
    limits: limitsOf(row),
    createdAtMs: Number(row["created_at_ms"]),
    updatedAtMs: Number(row["updated_at_ms"]),
  };
}

function limitsOf(row: SqlRow): TenantLimits {
  return {
    ...limitOf("maxConnections", row["max_connections"]),
    ...limitOf("publicationsPerSec", row["publications_per_sec"]),
    ...limitOf("bytesPerSec", row["bytes_per_sec"]),
    ...limitOf("maxChannels", row["max_channels"]),
  };
}

/** Absent rather than undefined, so that limits can be spread over defaults. */
function limitOf(name: keyof TenantLimits, value: SqlValue | undefined): TenantLimits {
  return value === null || value === undefined ? {} : { [name]: Number(value) };
}
