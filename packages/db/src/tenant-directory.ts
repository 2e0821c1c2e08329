import { join } from "node:path";
import { type CancelTimer, type Lifecycle, parseTenantId, type TenantId } from "@pm/core";
import { DbError } from "./db-error.ts";
import type { DbPorts } from "./db-ports.ts";
import { DIRECTORY_MIGRATIONS } from "./directory-schema.ts";
import { openDatabase } from "./open-database.ts";
import type { SqlResult } from "./sql-database.ts";
import type { SqliteConnection } from "./sqlite-connection.ts";
import type { TenantChangeListener, Unsubscribe } from "./tenant-change.ts";
import { TenantChangeFeed } from "./tenant-change-feed.ts";
import {
  type ResolvedTenantDirectoryOptions,
  resolveTenantDirectoryOptions,
  type TenantDirectoryOptions,
} from "./tenant-directory-options.ts";
import { TenantError } from "./tenant-error.ts";
import { pageOf, parseListOptions, type TenantListOptions, type TenantPage } from "./tenant-page.ts";
import type { TenantRecord } from "./tenant-record.ts";
import { type TenantSettings, type TenantUpdate, updatedSettings } from "./tenant-settings.ts";
import type { TenantSource } from "./tenant-source.ts";
import { TenantTable } from "./tenant-table.ts";

interface Opened {
  readonly kind: "open";
  readonly connection: SqliteConnection;
  readonly table: TenantTable;
  readonly feed: TenantChangeFeed;
  readonly stopPoll: CancelTimer;
}

type State = { readonly kind: "new" } | Opened | { readonly kind: "closed" };

/**
 * Which tenants exist, active or suspended, with their own limits: `<dataDir>/directory.db`. Several processes may have
 * it open; each tells its listeners of its own changes at once and of the others' at its next poll.
 *
 * All methods are asynchronous for the sake of other directories; this one asks SQLite before it returns. They raise
 * `DbError`, `DB_CLOSED` before the start and after the end, and NameError for what is not a tenant id.
 */
export class TenantDirectory implements TenantSource, Lifecycle, AsyncDisposable {
  readonly #options: ResolvedTenantDirectoryOptions;
  readonly #ports: DbPorts;
  readonly #listeners = new Set<TenantChangeListener>();
  #state: State = { kind: "new" };

  /** @throws DbError `INVALID_OPTION` */
  constructor(options: TenantDirectoryOptions, ports: DbPorts) {
    this.#options = resolveTenantDirectoryOptions(options);
    this.#ports = ports;
  }

  /** @throws DbError when the directory cannot be opened or migrated. */
  async start(): Promise<void> {
    if (this.#state.kind === "open") return;
    if (this.#state.kind === "closed") throw this.#closedError();
    const { dataDir, busyTimeoutMs, pollIntervalMs } = this.#options;
    const { clock, logger } = this.#ports;
    const connection = openDatabase({
      file: join(dataDir, "directory.db"),
      subject: "the tenant directory",
      busyTimeoutMs,
      maxBytes: 0,
      migrations: DIRECTORY_MIGRATIONS,
      nowMs: clock.now(),
    });
    try {
      const table = new TenantTable(connection);
      const feed = new TenantChangeFeed(table, this.#listeners, logger);
      const stopPoll = clock.every(pollIntervalMs, () => feed.poll());
      this.#state = { kind: "open", connection, table, feed, stopPoll };
    } catch (error) {
      connection.close();
      throw error;
    }
  }

  /** Nothing waits in it, so this closes. */
  drain(): Promise<void> {
    return this.close();
  }

  async close(): Promise<void> {
    const state = this.#state;
    this.#state = { kind: "closed" };
    if (state.kind !== "open") return;
    state.stopPoll();
    state.connection.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  /** Calls back after every change, until the subscription ends. It may begin before the start. */
  subscribe(listener: TenantChangeListener): Unsubscribe {
    // Wrapped, so that a listener given twice is two subscriptions.
    const subscription: TenantChangeListener = (change) => listener(change);
    this.#listeners.add(subscription);
    return () => this.#listeners.delete(subscription);
  }

  /**
   * Makes a tenant, active.
   * @throws TenantError `TENANT_EXISTS`; `INVALID_MESSAGE` for a setting out of its range.
   */
  async create(tenant: TenantId, settings: TenantSettings = {}): Promise<TenantRecord> {
    const id = parseTenantId(tenant);
    const checked = updatedSettings({ limits: {} }, settings);
    return this.#write(({ table }) => {
      if (table.find(id) !== undefined) throw TenantError.exists(id);
      const nowMs = this.#ports.clock.now();
      return savedIn(table, {
        tenant: id,
        state: "active",
        displayName: checked.displayName,
        limits: checked.limits ?? {},
        createdAtMs: nowMs,
        updatedAtMs: nowMs,
      });
    });
  }

  /** @throws TenantError `TENANT_UNKNOWN` */
  async get(tenant: TenantId): Promise<TenantRecord> {
    return knownIn(this.#opened().table, parseTenantId(tenant));
  }

  /** Those of the tenants that are in the directory, by id. */
  async findMany(tenants: readonly TenantId[]): Promise<ReadonlyMap<TenantId, TenantRecord>> {
    const { table } = this.#opened();
    const found = new Map<TenantId, TenantRecord>();
    for (const tenant of tenants) {
      const record = table.find(tenant);
      if (record !== undefined) found.set(tenant, record);
    }
    return found;
  }

  /** @throws TenantError `TENANT_UNKNOWN`; `INVALID_MESSAGE` for a setting out of its range. */
  async update(tenant: TenantId, update: TenantUpdate): Promise<TenantRecord> {
    return this.#change(parseTenantId(tenant), (record) => {
      const { displayName, limits = {} } = updatedSettings(record, update);
      return { ...record, displayName, limits };
    });
  }

  /**
   * May be called again: the record stays as it is, and every process is told of it once more.
   * @throws TenantError `TENANT_UNKNOWN`
   */
  async suspend(tenant: TenantId): Promise<TenantRecord> {
    const id = parseTenantId(tenant);
    return this.#write(({ table }) => {
      const before = knownIn(table, id);
      // Saved all the same: whoever still has connections of the tenant, for whatever reason, is told to close them.
      if (before.state === "suspended") return savedIn(table, before);
      return savedIn(table, { ...before, state: "suspended", updatedAtMs: this.#ports.clock.now() });
    });
  }

  /** May be called again without effect. @throws TenantError `TENANT_UNKNOWN` */
  async resume(tenant: TenantId): Promise<TenantRecord> {
    return this.#change(parseTenantId(tenant), (record) =>
      record.state === "active" ? record : { ...record, state: "active" },
    );
  }

  /** Takes the tenant out of the directory; its own database stays. @throws TenantError `TENANT_UNKNOWN` */
  async delete(tenant: TenantId): Promise<void> {
    const id = parseTenantId(tenant);
    this.#write(({ table }) => {
      if (!table.delete(id)) throw TenantError.unknown(id);
    });
  }

  /** One page of tenants. @throws TenantError `INVALID_MESSAGE` with field `limit` or `cursor`. */
  async list(options: TenantListOptions = {}): Promise<TenantPage> {
    const selection = parseListOptions(options);
    const rows = this.#opened().table.page({ ...selection, limit: selection.limit + 1 });
    return pageOf(rows, selection.limit);
  }

  /** Rejects with the reason when the directory cannot be read, or changes of others were not to be seen at the last poll. */
  async check(): Promise<void> {
    const { table, feed } = this.#opened();
    table.lastSeq();
    if (feed.failure !== undefined) throw feed.failure;
  }

  /** Saves what `change` makes of a record; when that is the same one, nothing is written or told. */
  #change(tenant: TenantId, change: (record: TenantRecord) => TenantRecord): TenantRecord {
    return this.#write(({ table }) => {
      const before = knownIn(table, tenant);
      const after = change(before);
      return after === before ? before : savedIn(table, { ...after, updatedAtMs: this.#ports.clock.now() });
    });
  }

  #write<T>(work: (opened: Opened) => SqlResult<T>): T {
    const opened = this.#opened();
    const result = opened.connection.transaction<T>(() => work(opened));
    opened.feed.publish();
    return result;
  }

  #opened(): Opened {
    if (this.#state.kind !== "open") throw this.#closedError();
    return this.#state;
  }

  #closedError(): DbError {
    return DbError.closed("the tenant directory");
  }
}

function knownIn(table: TenantTable, tenant: TenantId): TenantRecord {
  const record = table.find(tenant);
  if (record === undefined) throw TenantError.unknown(tenant);
  return record;
}

function savedIn(table: TenantTable, record: TenantRecord): TenantRecord {
  table.save(record);
  return record;
}
