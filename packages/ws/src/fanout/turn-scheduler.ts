import type { TenantId } from "@pm/core";
import { performance } from "node:perf_hooks";

/** A piece of delivery work of one tenant. */
export interface TurnJob {
  /** Does a small, bounded part; true when there is more to do at once. */
  step(): boolean;
  /** Milliseconds of work that a step sets off behind the turn: they count as the tenant's time. @default 0 */
  readonly setsOffMs?: number;
  /**
   * Reads what the next steps will look at, and makes any number of it. By the time it is used, none of it is in the
   * processor's caches; looked at on its own, one thing after the other, all of it comes from memory at once.
   */
  touch?(): number;
}

/** Something whose bytes wait to go down in one write at the end of the turn. */
export interface Flushable {
  flush(): void;
}

/** A tenant's part of a turn, in milliseconds. */
const SLICE_MS = 0.5;
/** A turn of deliveries, in milliseconds; then sockets are read again. */
const TURN_MS = 1;
/** The same where all work of late was of one tenant: each look at the sockets finds more then. */
const LONE_TURN_MS = 2;
/** Turns without anything of another tenant, after which one is alone: half a second where there is much to do. */
const LONE_AFTER_TURNS = 500;
/** What a write costs, in milliseconds; measured as 5 to 6 µs. */
const WRITE_COST_MS = 0.006;
/** Steps between two looks at the clock. */
const STEPS_A_LOOK = 2;
/** Jobs that are touched one after the other before the first of them is stepped. */
const JOBS_A_TOUCH = 16;

/**
 * Shares the turns of the event loop between tenants: each that has work gets a slice, one after the other, and what
 * was written in a slice is flushed at its end. Work that is not done goes on in the next turn, after sockets were
 * read. Who had no work before goes first: a tenant that publishes little does not wait for the slices of one that
 * floods.
 */
export class TurnScheduler {
  /** Work that has not had a slice yet. */
  readonly #fresh = new Map<TenantId, TurnJob[]>();
  /** Work that one slice was not enough for. */
  readonly #backlog = new Map<TenantId, TurnJob[]>();
  #dirty: Flushable[] = [];
  /** Where what was touched goes: the compiler leaves out a look at something that nobody uses. */
  readonly #touched = new Int32Array(1);
  /** Work that the steps of this turn have set off behind it, in milliseconds. */
  #setOffMs = 0;
  #scheduled = false;
  #turn = 0;
  /** Whose slice or message was the last. */
  #tenant: TenantId | undefined;
  /** The turn in or before which something of one tenant last followed something of another. */
  #sharedTurn = 0;

  /** Turns that have begun. */
  get turn(): number {
    return this.#turn;
  }

  /** Adds work of a tenant; a job may be added again only after its `step` returned false. */
  add(tenant: TenantId, job: TurnJob): void {
    const queue = this.#backlog.get(tenant) ?? this.#fresh.get(tenant);
    if (queue === undefined) this.#fresh.set(tenant, [job]);
    else queue.push(job);
    this.#schedule();
  }

  /** Something of the tenant was done outside of its slices: it is there, and turns are short. */
  notice(tenant: TenantId): void {
    if (tenant !== this.#tenant) this.#sharedTurn = this.#turn;
    this.#tenant = tenant;
  }

  /** Resolves in a turn of the tenant, for some milliseconds of work that follow at once. */
  async turnOf(tenant: TenantId, setsOffMs: number): Promise<void> {
    await new Promise<void>((resolve) => {
      const step = (): boolean => {
        resolve();
        return false;
      };
      this.add(tenant, { step, setsOffMs });
    });
  }

  /** Has the outbox flushed at the end of this turn, or of the slice under way. */
  markDirty(outbox: Flushable): void {
    this.#dirty.push(outbox);
    this.#schedule();
  }

  /** Has a job touch what it needs next. */
  touch(job: TurnJob): void {
    if (job.touch !== undefined) this.#touched[0] = job.touch();
  }

  #schedule(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    setImmediate(this.#runTurn);
  }

  readonly #runTurn = (): void => {
    this.#scheduled = false;
    this.#turn++;
    const isLone = this.#turn - this.#sharedTurn > LONE_AFTER_TURNS;
    const endMs = performance.now() + (isLone ? LONE_TURN_MS : TURN_MS);
    this.#setOffMs = 0;
    // However long the process stood still, and however many are new: of both kinds one gets a slice in each turn.
    do this.#runNext(this.#fresh);
    while (this.#fresh.size > 0 && this.#spentUntilMs < endMs);
    do this.#runNext(this.#backlog);
    while (this.#backlog.size > 0 && this.#spentUntilMs < endMs);
    this.#flush();
    if (this.#fresh.size + this.#backlog.size > 0) this.#schedule();
  };

  get #spentUntilMs(): number {
    return performance.now() + this.#setOffMs;
  }

  #runNext(queues: Map<TenantId, TurnJob[]>): void {
    for (const [tenant, jobs] of queues) {
      this.notice(tenant);
      this.#runSlice(jobs);
      this.#flush();
      queues.delete(tenant);
      if (jobs.length > 0) this.#backlog.set(tenant, jobs);
      return;
    }
  }

  #runSlice(jobs: TurnJob[]): void {
    const startMs = performance.now();
    const setOffMs = this.#setOffMs;
    let spentMs = 0;
    let steps = 0;
    while (spentMs < SLICE_MS && steps < jobs.length) {
      if (steps % JOBS_A_TOUCH === 0) this.#touchNext(jobs, steps);
      const job = jobs[steps++];
      if (job === undefined) break;
      this.#setOffMs += job.setsOffMs ?? 0;
      if (job.step()) jobs.push(job);
      spentMs = this.#dirty.length * WRITE_COST_MS + this.#setOffMs - setOffMs;
      if (steps % STEPS_A_LOOK === 0) spentMs += performance.now() - startMs;
    }
    if (steps === jobs.length) jobs.length = 0;
    else jobs.splice(0, steps);
  }

  #touchNext(jobs: readonly TurnJob[], start: number): void {
    const end = Math.min(start + JOBS_A_TOUCH, jobs.length);
    for (let index = start; index < end; index++) {
      const job = jobs[index];
      if (job !== undefined) this.touch(job);
    }
  }

  #flush(): void {
    if (this.#dirty.length === 0) return;
    const dirty = this.#dirty;
    this.#dirty = [];
    for (const outbox of dirty) outbox.flush();
  }
}
