import type { TenantContext, TenantId } from "@pm/core";
import { WsError } from "../ws-error.ts";

/** What the registry needs to know of a connection. */
export interface RegisteredConnection {
  readonly context: TenantContext;
  readonly slot: ConnectionSlot;
  /** Empty: none was named. */
  readonly sessionId: string;
}

/** How many connections there may be. */
export interface ConnectionLimits {
  readonly maxTotal: number;
  /** Asked for each admission, so that a tenant's own limit can change. */
  readonly maxOfTenant: (tenant: TenantId) => number;
}

/** A connection's place in the limits: one in its tenant's, one in the process's. Releasing it twice does nothing. */
export class ConnectionSlot {
  /** Undefined: its place was left to another, or is free. */
  #tenant: TenantId | undefined;
  #owner: SlotOwner | undefined;

  constructor(tenant: TenantId, owner: SlotOwner) {
    this.#tenant = tenant;
    this.#owner = owner;
  }

  /** Leaves the tenant's place to another. The process's is kept, since the socket is still open. */
  yield(): void {
    const tenant = this.#tenant;
    this.#tenant = undefined;
    if (tenant !== undefined) this.#owner?.onYielded(tenant);
  }

  release(): void {
    this.yield();
    this.#owner?.onReleased();
    this.#owner = undefined;
  }
}

/** Counts the slots. */
export interface SlotOwner {
  onYielded(tenant: TenantId): void;
  onReleased(): void;
}

/** Which connections to look up. */
export interface ConnectionFilter {
  readonly tenant?: TenantId | undefined;
  readonly user?: string | undefined;
}

/** Who is connected. */
export class ConnectionRegistry<Connection extends RegisteredConnection> implements SlotOwner {
  readonly #limits: ConnectionLimits;
  readonly #byTenant = new Map<TenantId, Set<Connection>>();
  readonly #sessions = new Map<string, Connection>();
  readonly #slots = new Map<TenantId, number>();
  #totalSlots = 0;
  #size = 0;

  constructor(limits: ConnectionLimits) {
    this.#limits = limits;
  }

  /** Open connections. */
  get size(): number {
    return this.#size;
  }

  /** Tenants that have a connection. */
  get tenantCount(): number {
    return this.#byTenant.size;
  }

  /**
   * Takes a place in the limits.
   * @throws WsError `CONNECTION_LIMIT` for the tenant's, `UNAVAILABLE` for the process's
   */
  reserve(tenant: TenantId): ConnectionSlot {
    if (this.#totalSlots >= this.#limits.maxTotal) throw WsError.overloaded("the server", this.#limits.maxTotal);
    const current = this.#slots.get(tenant) ?? 0;
    const max = this.#limits.maxOfTenant(tenant);
    if (current >= max) throw WsError.connectionLimit(tenant, current, max);
    this.#slots.set(tenant, current + 1);
    this.#totalSlots++;
    return new ConnectionSlot(tenant, this);
  }

  add(connection: Connection): void {
    const { tenant } = connection.context;
    this.#size++;
    const ofTenant = this.#byTenant.get(tenant);
    if (ofTenant === undefined) this.#byTenant.set(tenant, new Set([connection]));
    else ofTenant.add(connection);
  }

  remove(connection: Connection): void {
    const { tenant } = connection.context;
    const ofTenant = this.#byTenant.get(tenant);
    if (ofTenant?.delete(connection) !== true) return;
    this.#size--;
    if (ofTenant.size === 0) this.#byTenant.delete(tenant);
    const session = sessionKey(connection);
    if (session !== undefined && this.#sessions.get(session) === connection) this.#sessions.delete(session);
  }

  /**
   * Notes the session of a connection. An older connection of the same session leaves it its place in the tenant's
   * limit, but not without end: a tenant never has more than twice its limit open.
   */
  claimSession(connection: Connection): void {
    const session = sessionKey(connection);
    if (session === undefined) return;
    const older = this.#sessions.get(session);
    const { tenant } = connection.context;
    const open = this.#byTenant.get(tenant)?.size ?? 0;
    const isWithin = open < 2 * this.#limits.maxOfTenant(tenant);
    if (isWithin) older?.slot.yield();
    this.#sessions.set(session, connection);
  }

  /** The connections of a tenant, of one of its users, or all; those of a tenant in the order in which they came. */
  *find({ tenant, user }: ConnectionFilter = {}): Generator<Connection> {
    const groups = tenant === undefined ? this.#byTenant.values() : [this.#byTenant.get(tenant) ?? []];
    for (const group of groups) {
      for (const connection of group) if (user === undefined || connection.context.user === user) yield connection;
    }
  }

  /** Tenants with their number of connections. */
  *tenants(): Generator<readonly [TenantId, number]> {
    for (const [tenant, connections] of this.#byTenant) yield [tenant, connections.size];
  }

  onReleased(): void {
    this.#totalSlots--;
  }

  onYielded(tenant: TenantId): void {
    const left = (this.#slots.get(tenant) ?? 1) - 1;
    if (left === 0) this.#slots.delete(tenant);
    else this.#slots.set(tenant, left);
  }
}

function sessionKey({ context, sessionId }: RegisteredConnection): string | undefined {
  return sessionId === "" ? undefined : `${context.tenant}/${sessionId.length}:${sessionId}${context.user}`;
}
