import type { CancelTimer, Clock, Logger, TenantContext, TenantId } from "@pm/core";
import { type TenantChange, type TenantDirectory, TenantLookup, type TenantRecord } from "@pm/db";
import type { TenantGate } from "@pm/ws";

/** Who is connected, as far as admission has to know. */
export interface ConnectedTenants {
  /** Closes the connections of a tenant with 4503; returns how many. */
  disconnect(tenant: TenantId, reason: string): number;
  /** Forgets what was published in a tenant that is no more. */
  forget(tenant: TenantId): Promise<void>;
  tenants(): Iterable<TenantId>;
}

/** What admission needs from outside. */
export interface TenantAdmissionPorts {
  readonly clock: Clock;
  readonly logger: Logger;
}

/** Records of tenants that have no connection are forgotten this often, in milliseconds. */
const FORGET_EVERY_MS = 60_000;
/** Tenants that are asked for at once when all have to be looked at again. */
const REVIEW_BATCH = 100;
/** How long to wait when the directory cannot be asked then. */
const REVIEW_RETRY_MS = 500;

const NOBODY: ConnectedTenants = { disconnect: () => 0, forget: async () => undefined, tenants: () => [] };

/**
 * Lets the tenants of a directory in while they are active, and closes the connections of those that no longer are.
 * Keeps the records of connected tenants, whose limits are asked for on hot paths.
 */
export class TenantAdmission implements TenantGate {
  readonly #directory: TenantDirectory;
  readonly #lookup: TenantLookup;
  readonly #ports: TenantAdmissionPorts;
  readonly #records = new Map<TenantId, TenantRecord>();
  readonly #cancelTimers = new Set<CancelTimer>();
  readonly #unsubscribe: () => void;
  #connected = NOBODY;
  #isClosed = false;

  constructor(directory: TenantDirectory, ports: TenantAdmissionPorts) {
    this.#directory = directory;
    this.#ports = ports;
    // Subscribes before this does, so that it knows of a change when this hears of it.
    this.#lookup = new TenantLookup(directory, {}, ports);
    this.#unsubscribe = directory.subscribe((change) => this.#onChange(change));
    this.#cancelTimers.add(ports.clock.every(FORGET_EVERY_MS, () => this.#forgetAbsent()));
  }

  /** Whose connections are closed. */
  watch(connected: ConnectedTenants): void {
    this.#connected = connected;
  }

  async assertActive({ tenant }: Pick<TenantContext, "tenant">): Promise<void> {
    const record = await this.#lookup.assertActive(tenant);
    this.#records.set(tenant, this.#lookup.peek(tenant) ?? record);
  }

  /** The limits of a connected tenant's own. */
  limitsOf(tenant: string): TenantRecord["limits"] | undefined {
    return this.#records.get(tenant as TenantId)?.limits;
  }

  /** Asked when a connection takes its place, after which it is registered before anything else happens. */
  maxConnectionsOf(tenant: TenantId): number | undefined {
    const known = this.#lookup.peek(tenant);
    // Since it was let in, the tenant has changed: what was told of it then found no connection to close.
    if (known?.state !== "active") queueMicrotask(() => void this.#review([tenant]));
    return (known ?? this.#records.get(tenant))?.limits.maxConnections;
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    this.#unsubscribe();
    for (const cancel of this.#cancelTimers) cancel();
    await this.#lookup.close();
  }

  #onChange(change: TenantChange): void {
    if (change.kind === "reset") void this.#review([...this.#connected.tenants()]);
    else if (change.kind === "deleted") this.#expel(change.tenant, "unknown");
    else this.#apply(change.record);
  }

  #apply(record: TenantRecord): void {
    if (record.state === "suspended") this.#expel(record.tenant, "suspended");
    else if (this.#records.has(record.tenant)) this.#records.set(record.tenant, record);
  }

  #expel(tenant: TenantId, cause: "unknown" | "suspended"): void {
    this.#records.delete(tenant);
    const connections = this.#connected.disconnect(tenant, `the tenant is ${cause}`);
    if (connections > 0) this.#ports.logger.info("tenant_expelled", { tenant_id: tenant, cause, connections });
    if (cause === "unknown") void this.#forget(tenant);
  }

  /** The next tenant of that name is another one, and must not read what this one wrote. */
  async #forget(tenant: TenantId): Promise<void> {
    try {
      await this.#connected.forget(tenant);
    } catch (error) {
      this.#ports.logger.error("tenant_not_forgotten", { tenant_id: tenant, error });
    }
  }

  /** Looks at tenants anew, whatever is known of them. */
  async #review(tenants: readonly TenantId[]): Promise<void> {
    for (let i = 0; i < tenants.length && !this.#isClosed; i += REVIEW_BATCH) {
      const batch = tenants.slice(i, i + REVIEW_BATCH);
      try {
        const records = await this.#directory.findMany(batch);
        for (const tenant of batch) this.#judge(tenant, records.get(tenant));
      } catch (error) {
        this.#ports.logger.error("tenant_review_failed", { tenants: batch.length, error });
        this.#later(() => void this.#review(batch));
      }
    }
  }

  #judge(tenant: TenantId, record: TenantRecord | undefined): void {
    if (record?.state === "active") this.#records.set(tenant, record);
    else this.#expel(tenant, record === undefined ? "unknown" : "suspended");
  }

  #later(callback: () => void): void {
    if (this.#isClosed) return;
    const cancel = this.#ports.clock.after(REVIEW_RETRY_MS, () => {
      this.#cancelTimers.delete(cancel);
      callback();
    });
    this.#cancelTimers.add(cancel);
  }

  #forgetAbsent(): void {
    const connected = new Set(this.#connected.tenants());
    for (const tenant of this.#records.keys()) if (!connected.has(tenant)) this.#records.delete(tenant);
  }
}
