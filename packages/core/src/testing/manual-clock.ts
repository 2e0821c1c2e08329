import type { CancelTimer, Clock } from "../clock.ts";

interface Timer {
  dueMs: number;
  readonly everyMs: number | undefined;
  readonly callback: () => void;
}

/** A clock that moves only when told. Starts at 1 700 000 000 000 ms unless given another time. */
export class ManualClock implements Clock {
  readonly #startMs: number;
  #elapsedMs = 0;
  #timers = new Set<Timer>();

  constructor(startMs = 1_700_000_000_000) {
    this.#startMs = startMs;
  }

  /** Timers that have not fired or been cancelled. */
  get pending(): number {
    return this.#timers.size;
  }

  now(): number {
    return this.#startMs + this.#elapsedMs;
  }

  monotonic(): number {
    return this.#elapsedMs;
  }

  after(ms: number, callback: () => void): CancelTimer {
    return this.#add({ dueMs: this.#elapsedMs + Math.max(0, ms), everyMs: undefined, callback });
  }

  every(ms: number, callback: () => void): CancelTimer {
    const everyMs = Math.max(1, ms);
    return this.#add({ dueMs: this.#elapsedMs + everyMs, everyMs, callback });
  }

  /**
   * Moves on by `ms`; timers fire in the order in which they are due, each at its own time. A callback may move on too.
   * @throws RangeError for a time that goes back
   */
  advance(ms: number): void {
    if (!(ms >= 0)) throw new RangeError(`a clock cannot advance by ${ms} ms`);
    const end = this.#elapsedMs + ms;
    for (let timer = this.#nextDue(end); timer !== undefined; timer = this.#nextDue(end)) {
      this.#elapsedMs = Math.max(this.#elapsedMs, timer.dueMs);
      if (timer.everyMs === undefined) this.#timers.delete(timer);
      else timer.dueMs += timer.everyMs;
      timer.callback();
    }
    this.#elapsedMs = Math.max(this.#elapsedMs, end);
  }

  #add(timer: Timer): CancelTimer {
    this.#timers.add(timer);
    return () => this.#timers.delete(timer);
  }

  #nextDue(end: number): Timer | undefined {
    let next: Timer | undefined;
    for (const timer of this.#timers) {
      if (timer.dueMs <= end && (next === undefined || timer.dueMs < next.dueMs)) next = timer;
    }
    return next;
  }
}
