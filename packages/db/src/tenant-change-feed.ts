import type { Logger, TenantId } from "@pm/core";
import type { TenantChange, TenantChangeListener } from "./tenant-change.ts";
import type { TenantTable } from "./tenant-table.ts";

/** Tells listeners what changes in a directory, whoever changed it. */
export class TenantChangeFeed {
  readonly #table: TenantTable;
  readonly #logger: Logger;
  readonly #listeners: Set<TenantChangeListener>;
  #seq: number;
  /** Undefined: read the changes at the next poll, whatever the file says. */
  #dataVersion: number | undefined;
  #failure: unknown;

  /** Begins at the present: what was changed before is not told. */
  constructor(table: TenantTable, listeners: Set<TenantChangeListener>, logger: Logger) {
    this.#table = table;
    this.#listeners = listeners;
    this.#logger = logger;
    this.#dataVersion = table.dataVersion();
    this.#seq = table.lastSeq();
  }

  /** Why the last look failed; undefined when it did not. */
  get failure(): unknown {
    return this.#failure;
  }

  /** Tells what others have changed. Cheap when nothing was. */
  poll(): void {
    this.#attempt(() => {
      const version = this.#table.dataVersion();
      if (version === this.#dataVersion) return;
      this.#tellChanges();
      this.#dataVersion = version;
    });
  }

  /** Tells what this process has just changed. */
  publish(): void {
    this.#attempt(() => this.#tellChanges());
  }

  /** Tells that anything may be different. */
  tellReset(): void {
    this.#tell({ kind: "reset" });
  }

  #tellChanges(): void {
    const before = this.#seq;
    const { tenants, unreadable, lastSeq, incomplete } = this.#table.changedSince(before);
    this.#seq = lastSeq;
    // No tenant can have such an id, so nobody misses anything, and the changes of the others must not wait for it.
    if (unreadable > 0) this.#logger.warn("tenant_changes_skipped", { changes: unreadable });
    try {
      if (incomplete) this.tellReset();
      // Read one by one: a listener may itself have changed what is told next.
      else for (const tenant of tenants) this.#tell(this.#changeOf(tenant));
    } catch (error) {
      this.#seq = before;
      throw error;
    }
  }

  #changeOf(tenant: TenantId): TenantChange {
    const record = this.#table.find(tenant);
    return record === undefined ? { kind: "deleted", tenant } : { kind: "saved", record };
  }

  #tell(change: TenantChange): void {
    for (const listener of this.#listeners) {
      const onFailure = (error: unknown): void =>
        this.#logger.error("tenant_change_listener_failed", { change: change.kind, error });
      try {
        const result: unknown = listener(change);
        // An async function passes for a listener, and nobody else would handle its rejection.
        if (result instanceof Promise) result.catch(onFailure);
      } catch (error) {
        onFailure(error);
      }
    }
  }

  /** A look that fails is made again at the next poll, and logged once. */
  #attempt(look: () => void): void {
    try {
      look();
      if (this.#failure !== undefined) this.#logger.info("tenant_directory_readable");
      this.#failure = undefined;
    } catch (error) {
      this.#dataVersion = undefined;
      if (this.#failure === undefined) this.#logger.error("tenant_directory_unreadable", { error });
      this.#failure = error;
    }
  }
}
