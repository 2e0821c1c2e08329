import type { CancelTimer, Clock, TenantId } from "@pm/core";
import { DbError } from "./db-error.ts";

/** The bounds of a LeaseQueue. */
export interface LeaseQueueOptions {
  /** Leases that may wait. At the bound, the tenant with the most of them loses its newest with `DB_LIMIT`. */
  readonly maxWaiting: number;
  /** Milliseconds after which a waiting lease is refused with `DB_LIMIT`. */
  readonly waitTimeoutMs: number;
}

interface Waiter<Lease> {
  readonly tenant: TenantId;
  readonly resolve: (lease: Lease) => void;
  readonly reject: (error: unknown) => void;
  readonly cancelTimer: CancelTimer;
}

/**
 * Leases that wait for room for one more open database. Tenants are served in the order in which they came, all leases
 * of a tenant together, and nobody overtakes: no flood of leases keeps another tenant waiting for ever, or out.
 */
export class LeaseQueue<Lease> {
  readonly #options: LeaseQueueOptions;
  readonly #clock: Clock;
  readonly #take: (tenant: TenantId) => Lease | undefined;
  readonly #waiters = new Map<TenantId, Set<Waiter<Lease>>>();
  #length = 0;

  /** `take` gives a lease, or undefined when there is still no room, or throws what the one who waits is to get. */
  constructor(options: LeaseQueueOptions, clock: Clock, take: (tenant: TenantId) => Lease | undefined) {
    this.#options = options;
    this.#clock = clock;
    this.#take = take;
  }

  get length(): number {
    return this.#length;
  }

  /**
   * Waits for a lease.
   * @throws DbError `DB_LIMIT` with `retryAfterMs` when the queue is full or the wait too long.
   */
  wait(tenant: TenantId): Promise<Lease> {
    if (this.#length >= this.#options.maxWaiting && !this.#makeRoom(tenant)) return Promise.reject(this.#full(tenant));
    const { waitTimeoutMs } = this.#options;
    return new Promise((resolve, reject) => {
      const cancelTimer = this.#clock.after(waitTimeoutMs, () => {
        this.#remove(waiter);
        reject(DbError.waitedTooLong(`tenant ${tenant}`, waitTimeoutMs));
        this.serve();
      });
      const waiter: Waiter<Lease> = { tenant, resolve, reject, cancelTimer };
      this.#add(waiter);
    });
  }

  /** Gives leases to those at the head, until there is no room. */
  serve(): void {
    for (const waiters of this.#waiters.values()) {
      for (const waiter of waiters) {
        try {
          const lease = this.#take(waiter.tenant);
          if (lease === undefined) return;
          waiter.resolve(lease);
        } catch (error) {
          waiter.reject(error);
        }
        this.#remove(waiter);
      }
    }
  }

  /** Refuses all that wait. */
  refuseAll(error: DbError): void {
    for (const waiters of this.#waiters.values()) {
      for (const waiter of waiters) this.#refuse(waiter, error);
    }
  }

  /** Takes the place of the newest lease of the tenant with the most, if that has more than this one would have. */
  #makeRoom(tenant: TenantId): boolean {
    let most: Set<Waiter<Lease>> | undefined;
    for (const waiters of this.#waiters.values()) {
      if (waiters.size > (most?.size ?? 0)) most = waiters;
    }
    const newest = [...(most ?? [])].at(-1);
    if (most === undefined || newest === undefined) return false;
    if (most.size <= (this.#waiters.get(tenant)?.size ?? 0) + 1) return false;
    this.#refuse(newest, this.#full(newest.tenant));
    return true;
  }

  #full(tenant: TenantId): DbError {
    return DbError.queueFull(`tenant ${tenant}`, this.#options.maxWaiting);
  }

  #refuse(waiter: Waiter<Lease>, error: DbError): void {
    this.#remove(waiter);
    waiter.reject(error);
  }

  #add(waiter: Waiter<Lease>): void {
    const waiters = this.#waiters.get(waiter.tenant) ?? new Set();
    this.#waiters.set(waiter.tenant, waiters.add(waiter));
    this.#length++;
  }

  #remove(waiter: Waiter<Lease>): void {
    waiter.cancelTimer();
    const waiters = this.#waiters.get(waiter.tenant);
    if (waiters?.delete(waiter) !== true) return;
    this.#length--;
    if (waiters.size === 0) this.#waiters.delete(waiter.tenant);
  }
}
