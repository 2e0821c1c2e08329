import { join } from "node:path";
import { type CancelTimer, type DrainOptions, type Lifecycle, parseTenantId, type TenantId } from "@pm/core";
import { DbError } from "./db-error.ts";
import type { DbPorts } from "./db-ports.ts";
import { LeaseQueue } from "./lease-queue.ts";
import { LeasedDatabase } from "./leased-database.ts";
import { OpenFailures } from "./open-failures.ts";
import { openDatabase } from "./open-database.ts";
import { type OpenTenant, OpenTenants } from "./open-tenants.ts";
import type { SqlDatabase } from "./sql-database.ts";
import {
  type ResolvedTenantConnectionOptions,
  resolveTenantConnectionOptions,
  type TenantConnectionOptions,
} from "./tenant-connection-options.ts";
import { tenantFolder } from "./tenant-folder.ts";
import { untilAborted } from "./until-aborted.ts";

type State =
  | { readonly kind: "new" }
  | { readonly kind: "running"; readonly stopSweep: CancelTimer }
  | { readonly kind: "draining"; readonly unused: PromiseWithResolvers<void> }
  | { readonly kind: "closed" };

/** How many databases are open, how many of them in use, and how many leases wait. */
export interface TenantConnectionCounts {
  readonly open: number;
  readonly inUse: number;
  readonly waiting: number;
}

/**
 * One SQLite database a tenant, at `<dataDir>/tenants/<folder>/main.db`: opened and migrated on first use, closed when
 * idle, at most `maxOpen` at once. A database in use is never closed for another; when all are in use, leases wait in
 * the order in which their tenants came, bounded in number and time.
 */
export class TenantConnectionManager implements Lifecycle, AsyncDisposable {
  readonly #options: ResolvedTenantConnectionOptions;
  readonly #ports: DbPorts;
  readonly #open: OpenTenants;
  readonly #failures: OpenFailures;
  readonly #queue: LeaseQueue<OpenTenant>;
  /** Tenants that get no lease until `closeTenant` is over. */
  readonly #closing = new Map<TenantId, PromiseWithResolvers<void>>();
  #state: State = { kind: "new" };

  /** @throws DbError `INVALID_OPTION` */
  constructor(options: TenantConnectionOptions, ports: DbPorts) {
    this.#options = resolveTenantConnectionOptions(options);
    this.#ports = ports;
    this.#open = new OpenTenants(ports.logger);
    this.#failures = new OpenFailures(ports.clock, this.#options.reopenDelayMs);
    this.#queue = new LeaseQueue(this.#options, ports.clock, (tenant) => this.#take(tenant));
  }

  get counts(): TenantConnectionCounts {
    return { open: this.#open.size, inUse: this.#open.inUse, waiting: this.#queue.length };
  }

  async start(): Promise<void> {
    if (this.#state.kind === "running") return;
    if (this.#state.kind !== "new") throw DbError.closed("the manager of tenants' databases");
    const sweepMs = Math.ceil(this.#options.idleTimeoutMs / 4);
    this.#state = { kind: "running", stopSweep: this.#ports.clock.every(sweepMs, () => this.#closeIdle()) };
  }

  /**
   * Lends the database of a tenant to `work` and gives what it returns; whatever `work` throws goes on to the caller.
   * The lease lasts until `work` has settled. Others of the same tenant may use the database between its awaits, so
   * what belongs together goes into one `transaction`. Do not ask for a lease inside a lease: it may wait for itself.
   * @throws DbError `DB_LIMIT` with `retryAfterMs` when no database could be closed for this one; `DB_CLOSED` before
   * the start and from the drain on; what opening and migrating raise. NameError for what is not a tenant id.
   */
  async withTenant<T>(tenant: TenantId, work: (db: SqlDatabase) => T | Promise<T>): Promise<T> {
    const open = await this.#acquire(parseTenantId(tenant));
    const lease = new LeasedDatabase(open.connection);
    try {
      return await work(lease);
    } finally {
      lease.end();
      this.#release(open);
    }
  }

  /**
   * Closes the database of one tenant, once its running leases have ended, and keeps it closed until `work` has
   * settled: to restore its files, or to remove them. New leases of the tenant are refused meanwhile, with `DB_CLOSED`
   * and `retryAfterMs`. Do not ask for it inside a lease of the tenant: it would wait for itself.
   * @throws DbError `DB_CLOSED` before the start, from the drain on, and while the same tenant is being closed already;
   * whatever `work` throws. NameError for what is not a tenant id.
   */
  async closeTenant(tenant: TenantId, work: () => void | Promise<void> = (): void => undefined): Promise<void> {
    const id = parseTenantId(tenant);
    if (this.#state.kind !== "running") throw this.#closedError();
    if (this.#closing.has(id)) throw DbError.tenantClosed(id);
    const unused = Promise.withResolvers<void>();
    this.#closing.set(id, unused);
    try {
      this.#settleClosing(id);
      await unused.promise;
      await work();
    } finally {
      this.#closing.delete(id);
      this.#failures.forget(id);
      this.#queue.serve();
    }
  }

  /** Takes no new leases, refuses those that wait, lets running ones end, and closes every database. */
  async drain({ signal }: DrainOptions = {}): Promise<void> {
    if (this.#state.kind === "running") {
      this.#state.stopSweep();
      this.#state = { kind: "draining", unused: Promise.withResolvers<void>() };
      this.#queue.refuseAll(this.#closedError());
      this.#settleDrain();
    }
    if (this.#state.kind === "draining") await untilAborted(this.#state.unused.promise, signal);
    return this.close();
  }

  /** Closes every database, those in use too; their leases get `DB_CLOSED`. What was committed stays. */
  async close(): Promise<void> {
    if (this.#state.kind === "running") this.#state.stopSweep();
    if (this.#state.kind === "draining") this.#state.unused.resolve();
    this.#state = { kind: "closed" };
    this.#queue.refuseAll(this.#closedError());
    this.#open.closeAll();
    for (const unused of this.#closing.values()) unused.resolve();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.drain();
  }

  #acquire(tenant: TenantId): OpenTenant | Promise<OpenTenant> {
    if (this.#state.kind !== "running") throw this.#closedError();
    const isAtOnce = this.#queue.length === 0 || this.#closing.has(tenant);
    const taken = isAtOnce ? this.#take(tenant) : undefined;
    return taken ?? this.#queue.wait(tenant);
  }

  /** A lease at once, or undefined when there is no room. */
  #take(tenant: TenantId): OpenTenant | undefined {
    if (this.#closing.has(tenant)) throw DbError.tenantClosed(tenant);
    const open = this.#open.get(tenant) ?? this.#openTenant(tenant);
    if (open === undefined) return undefined;
    this.#open.use(open);
    open.leases++;
    return open;
  }

  #openTenant(tenant: TenantId): OpenTenant | undefined {
    return this.#failures.guard(tenant, () => (this.#makeRoom() ? this.#openNow(tenant) : undefined));
  }

  #makeRoom(): boolean {
    return this.#open.size < this.#options.maxOpen || this.#open.closeLeastRecentlyUsed();
  }

  #openNow(tenant: TenantId): OpenTenant {
    const { dataDir, migrations, busyTimeoutMs, maxDatabaseBytes } = this.#options;
    const { clock, logger } = this.#ports;
    const connection = openDatabase({
      file: join(dataDir, "tenants", tenantFolder(tenant), "main.db"),
      subject: `tenant ${tenant}`,
      busyTimeoutMs,
      maxBytes: maxDatabaseBytes,
      migrations,
      nowMs: clock.now(),
    });
    if (logger.isDebugEnabled()) logger.debug("tenant_database_opened", { tenant_id: tenant });
    return { tenant, connection, leases: 0, lastUsedMs: clock.monotonic() };
  }

  #release(open: OpenTenant): void {
    open.leases--;
    open.lastUsedMs = this.#ports.clock.monotonic();
    if (open.leases > 0) return;
    if (open.connection.suspect) this.#open.close(open, "suspect");
    this.#settleClosing(open.tenant);
    this.#queue.serve();
    this.#settleDrain();
  }

  #closeIdle(): void {
    const usedBefore = this.#ports.clock.monotonic() - this.#options.idleTimeoutMs;
    this.#open.closeUnused("idle", ({ lastUsedMs }) => lastUsedMs <= usedBefore);
  }

  #settleClosing(tenant: TenantId): void {
    const unused = this.#closing.get(tenant);
    if (unused === undefined || this.#open.isUsed(tenant)) return;
    this.#open.closeUnused("requested", (open) => open.tenant === tenant);
    unused.resolve();
  }

  #settleDrain(): void {
    if (this.#state.kind !== "draining") return;
    this.#open.closeUnused("drained", () => true);
    if (this.#open.size === 0) this.#state.unused.resolve();
  }

  #closedError(): DbError {
    return DbError.closed("the manager of tenants' databases");
  }
}
