import type { CancelTimer, Clock } from "./clock.ts";

const DONE: Promise<void> = Promise.resolve();

/**
 * The time of another clock, asked once for each callback of the event loop: all that happens in one happens at the
 * same time, that of the first question. For those who ask often, since a look at the machine's clock costs 50 ns. It
 * is never ahead of the other, and behind by no more than the callback has taken so far.
 */
export class TurnClock implements Clock {
  readonly #clock: Clock;
  #nowMs = 0;
  #monotonicMs = 0;
  #isFresh = false;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  now(): number {
    if (!this.#isFresh) this.#look();
    return this.#nowMs;
  }

  monotonic(): number {
    if (!this.#isFresh) this.#look();
    return this.#monotonicMs;
  }

  after(ms: number, callback: () => void): CancelTimer {
    return this.#clock.after(ms, callback);
  }

  every(ms: number, callback: () => void): CancelTimer {
    return this.#clock.every(ms, callback);
  }

  #look(): void {
    this.#nowMs = this.#clock.now();
    this.#monotonicMs = this.#clock.monotonic();
    this.#isFresh = true;
    // Promises settle at the end of the callback; queueMicrotask of Node costs more than the look.
    void DONE.then(this.#forget);
  }

  readonly #forget = (): void => {
    this.#isFresh = false;
  };
}
