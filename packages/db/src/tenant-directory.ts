import { join } from "node:path";
import { type CancelTimer, type Lifecycle, parseTenantId, type TenantId } from "@pm/core";
import { DbError } from "./db-error.ts";
import type { DbPorts } from "./db-ports.ts";
import { DirectoryFile, type DirectoryFileOptions } from "./directory-file.ts";
import type { SqlResult } from "./sql-database.ts";
import type { TenantChangeListener, Unsubscribe } from "./tenant-change.ts";
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
import type { TenantTable } from "./tenant-table.ts";

type State =
  | { readonly kind: "new" }
  | { readonly kind: "open"; readonly file: DirectoryFile; readonly stopPoll: CancelTimer }
  /** The file was damaged or taken away while it was open. It is tried again at each poll. */
  | { readonly kind: "broken"; readonly error: unknown; readonly stopPoll: CancelTimer }
  | { readonly kind: "closed" };

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
    if (this.#state.kind === "closed") throw this.#closedError();
    if (this.#state.kind !== "new") return;
    const file = new DirectoryFile(this.#fileOptions(), this.#ports);
    const stopPoll = this.#ports.clock.every(this.#options.pollIntervalMs, () => this.#poll());
    this.#state = { kind: "open", file, stopPoll };
  }

  /** Nothing waits in it, so this closes. */
  drain(): Promise<void> {
    return this.close();
  }

  async close(): Promise<void> {
    const state = this.#state;
    this.#state = { kind: "closed" };
    if (state.kind === "open" || state.kind === "broken") state.stopPoll();
    if (state.kind === "open") state.file.close();
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

  /**
   * Rejects with the reason when the directory cannot be read, or changes of others were not to be seen at the last
   * poll.
   */
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

  #write<T>(work: (file: DirectoryFile) => SqlResult<T>): T {
    const file = this.#opened();
    const result = file.transaction<T>(() => work(file));
    file.feed.publish();
    return result;
  }

  #poll(): void {
    const state = this.#state;
    if (state.kind === "open" && !state.file.isStale) state.file.feed.poll();
    else if (state.kind === "open" || state.kind === "broken") this.#reopen(state);
  }

  /** Takes up a file that was restored: nothing that was known of the old one need hold. */
  #reopen(state: Extract<State, { readonly stopPoll: CancelTimer }>): void {
    const { stopPoll } = state;
    const { logger } = this.#ports;
    try {
      if (state.kind === "open") state.file.close();
      const file = DirectoryFile.again(this.#fileOptions(), this.#ports);
      this.#state = { kind: "open", file, stopPoll };
      logger.info("tenant_directory_reopened");
      file.feed.tellReset();
    } catch (error) {
      if (state.kind === "open") logger.error("tenant_directory_unreadable", { error });
      this.#state = { kind: "broken", error, stopPoll };
    }
  }

  #opened(): DirectoryFile {
    if (this.#state.kind === "broken") throw this.#state.error;
    if (this.#state.kind !== "open") throw this.#closedError();
    return this.#state.file;
  }

  #fileOptions(): DirectoryFileOptions {
    const { dataDir, busyTimeoutMs } = this.#options;
    return { path: join(dataDir, "directory.db"), busyTimeoutMs, listeners: this.#listeners };
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
