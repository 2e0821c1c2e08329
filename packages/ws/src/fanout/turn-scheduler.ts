import type { TenantId } from "@pm/core";

/** A piece of delivery work of one tenant. */
export interface TurnJob {
  /** Does a small, bounded part; true when there is more to do at once. */
  step(): boolean;
}

/** Something whose bytes wait to go down in one write at the end of the turn. */
export interface Flushable {
  flush(): void;
}

/** A tenant's part of a turn, in milliseconds. */
const SLICE_MS = 1;
/** A turn of deliveries, in milliseconds; then sockets are read again. */
const TURN_MS = 3;
/** What a write costs, in milliseconds; measured as 5 to 6 µs. */
const WRITE_COST_MS = 0.006;

/** Steps between two looks at the clock. */
const STEPS_A_LOOK = 2;

interface TenantJobs {
  readonly jobs: TurnJob[];
}

/**
 * Shares the turns of the event loop between tenants: each that has work gets a slice, one after the other, and what was
 * written in a slice is flushed at its end. Work that is not done goes on in the next turn, after sockets were read.
 */
export class TurnScheduler {
  readonly #tenants = new Map<TenantId, TenantJobs>();
  #dirty: Flushable[] = [];
  #scheduled = false;

  /** Adds work of a tenant; a job may be added again only after its `step` returned false. */
  add(tenant: TenantId, job: TurnJob): void {
    const queue = this.#tenants.get(tenant);
    if (queue === undefined) this.#tenants.set(tenant, { jobs: [job] });
    else queue.jobs.push(job);
    this.#schedule();
  }

  /** Has the outbox flushed at the end of this turn, or of the slice under way. */
  markDirty(outbox: Flushable): void {
    this.#dirty.push(outbox);
    this.#schedule();
  }

  #schedule(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    setImmediate(this.#runTurn);
  }

  readonly #runTurn = (): void => {
    this.#scheduled = false;
    const endMs = performance.now() + TURN_MS;
    for (let nowMs = 0; this.#tenants.size > 0 && nowMs < endMs; nowMs = performance.now()) this.#runNextTenant();
    this.#flush();
    if (this.#tenants.size > 0) this.#schedule();
  };

  #runNextTenant(): void {
    for (const [tenant, queue] of this.#tenants) {
      this.#tenants.delete(tenant);
      this.#runSlice(queue.jobs);
      this.#flush();
      const added = this.#tenants.get(tenant);
      if (added !== undefined) queue.jobs.push(...added.jobs);
      this.#tenants.delete(tenant);
      if (queue.jobs.length > 0) this.#tenants.set(tenant, queue);
      return;
    }
  }

  #runSlice(jobs: TurnJob[]): void {
    const startMs = performance.now();
    let spentMs = 0;
    for (let steps = 1; spentMs < SLICE_MS; steps++) {
      const job = jobs.shift();
      if (job === undefined) return;
      if (job.step()) jobs.push(job);
      spentMs = this.#dirty.length * WRITE_COST_MS;
      if (steps % STEPS_A_LOOK === 0) spentMs += performance.now() - startMs;
    }
  }

  #flush(): void {
    if (this.#dirty.length === 0) return;
    const dirty = this.#dirty;
    this.#dirty = [];
    for (const outbox of dirty) outbox.flush();
  }
}
