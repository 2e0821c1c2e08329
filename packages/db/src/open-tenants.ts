import type { Logger, TenantId } from "@pm/core";
import type { SqliteConnection } from "./sqlite-connection.ts";

/** Why a database was closed, as the log says it. */
export type CloseReason = "idle" | "least_recently_used" | "suspect" | "requested" | "drained" | "closed";

/** One database that is open, and how many leases it has. */
export interface OpenTenant {
  readonly tenant: TenantId;
  readonly connection: SqliteConnection;
  leases: number;
  lastUsedMs: number;
}

/**
 * The databases that are open: one a tenant for new leases, and beside it those that turned out to be suspect and only
 * stay for the leases that they have.
 */
export class OpenTenants {
  readonly #logger: Logger;
  /** The least recently used first. */
  readonly #current = new Map<TenantId, OpenTenant>();
  readonly #retired = new Set<OpenTenant>();

  constructor(logger: Logger) {
    this.#logger = logger;
  }

  /** All of them, since all hold files. */
  get size(): number {
    return this.#current.size + this.#retired.size;
  }

  get inUse(): number {
    return this.#all().filter(({ leases }) => leases > 0).length;
  }

  /** True while a lease of the tenant lasts. */
  isUsed(tenant: TenantId): boolean {
    return this.#all().some((open) => open.tenant === tenant && open.leases > 0);
  }

  /** The one for new leases. One that is suspect gets none: else those that overlap would keep it for ever. */
  get(tenant: TenantId): OpenTenant | undefined {
    const open = this.#current.get(tenant);
    if (open?.connection.suspect !== true) return open;
    this.#current.delete(tenant);
    this.#retired.add(open);
    return undefined;
  }

  /** Makes it the one for new leases, and the most recently used. */
  use(open: OpenTenant): void {
    this.#current.delete(open.tenant);
    this.#current.set(open.tenant, open);
  }

  /** False when all are in use. */
  closeLeastRecentlyUsed(): boolean {
    for (const open of this.#current.values()) {
      if (open.leases > 0) continue;
      this.close(open, "least_recently_used");
      return true;
    }
    return false;
  }

  /** Closes those that nobody uses and that are meant. */
  closeUnused(reason: CloseReason, isMeant: (open: OpenTenant) => boolean): void {
    for (const open of this.#all()) if (open.leases === 0 && isMeant(open)) this.close(open, reason);
  }

  closeAll(): void {
    for (const open of this.#all()) this.close(open, "closed");
  }

  /** Lets go of the files; again without effect. */
  close(open: OpenTenant, reason: CloseReason): void {
    if (this.#current.get(open.tenant) === open) this.#current.delete(open.tenant);
    else if (!this.#retired.delete(open)) return;
    const fields = { tenant_id: open.tenant, reason };
    try {
      open.connection.close();
      if (this.#logger.isDebugEnabled()) this.#logger.debug("tenant_database_closed", fields);
    } catch (error) {
      this.#logger.warn("tenant_database_close_failed", { ...fields, error });
    }
  }

  #all(): OpenTenant[] {
    return [...this.#current.values(), ...this.#retired];
  }
}
