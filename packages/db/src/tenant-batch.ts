import type { CancelTimer, Clock, TenantId } from "@pm/core";
import type { TenantAnswer } from "./tenant-cache.ts";
import type { TenantRecord } from "./tenant-record.ts";
import type { TenantSource } from "./tenant-source.ts";

/** Tenants in one question. */
const MAX_TENANTS = 100;

/** How long a batch may take, and what those who wait get then. */
export interface TenantBatchTimeout {
  readonly clock: Clock;
  readonly timeoutMs: number;
  readonly error: () => Error;
}

/** One question to a directory about several tenants, with one time limit for all that wait for it. */
export class TenantBatch {
  readonly #tenants = new Set<TenantId>();
  readonly #answers = Promise.withResolvers<ReadonlyMap<TenantId, TenantRecord>>();
  readonly #cancelTimeout: CancelTimer;
  #state: "collecting" | "asked" | "settled" = "collecting";
  #stale = false;

  constructor({ clock, timeoutMs, error }: TenantBatchTimeout) {
    this.#cancelTimeout = clock.after(timeoutMs, () => this.fail(error()));
    // Those who wait each see the failure; the promise behind them is nobody's.
    this.#answers.promise.catch(() => undefined);
  }

  get tenants(): Iterable<TenantId> {
    return this.#tenants;
  }

  /** True while tenants can still be added. */
  get isOpen(): boolean {
    return this.#state === "collecting" && this.#tenants.size < MAX_TENANTS;
  }

  get isSettled(): boolean {
    return this.#state === "settled";
  }

  /** True when something has changed since `ask`, so that its answer is not to be used. */
  get isStale(): boolean {
    return this.#stale;
  }

  /** Adds a tenant and gives the answer about it, once it is there. */
  async add(tenant: TenantId): Promise<TenantAnswer> {
    this.#tenants.add(tenant);
    const records = await this.#answers.promise;
    return { record: records.get(tenant) };
  }

  /** A tenant has changed; undefined: any may have. */
  invalidate(tenant: TenantId | undefined): void {
    if (tenant === undefined || this.#tenants.has(tenant)) this.#stale = true;
  }

  /** Asks; rejects at the time limit, whatever the source does. */
  ask(source: TenantSource): Promise<ReadonlyMap<TenantId, TenantRecord>> {
    this.#state = "asked";
    this.#stale = false;
    return Promise.race([source.findMany([...this.#tenants]), this.#answers.promise]);
  }

  /** Gives everybody the answer. */
  succeed(records: ReadonlyMap<TenantId, TenantRecord>): void {
    this.#settle();
    this.#answers.resolve(records);
  }

  /** Gives everybody the error. */
  fail(error: Error): void {
    this.#settle();
    this.#answers.reject(error);
  }

  #settle(): void {
    this.#state = "settled";
    this.#cancelTimeout();
  }
}
