import type { CancelTimer, Clock } from "../platform/clock.ts";

/** The times of a LifeWatch. */
export interface LifeTimes {
  /** Milliseconds of silence after which the other side is asked. */
  readonly intervalMs: number;
  /** Milliseconds after asking in which something must come. */
  readonly timeoutMs: number;
}

/** What a LifeWatch does. */
export interface LifeActions {
  /** Asks the other side for a sign of life. */
  readonly ask: () => void;
  /** No sign of life has come. */
  readonly onDead: () => void;
}

/** A page that was asleep does not wait longer than this for the answer to its first question. */
const PROBE_TIMEOUT_MS = 5_000;

/** Finds a dead connection by silence, since browsers do not show the pings of WebSocket. */
export class LifeWatch {
  readonly #clock: Clock;
  readonly #times: LifeTimes;
  readonly #actions: LifeActions;
  #heardMs: number;
  #cancelTimer: CancelTimer;
  #isAsking = false;

  constructor(clock: Clock, times: LifeTimes, actions: LifeActions) {
    this.#clock = clock;
    this.#times = times;
    this.#actions = actions;
    this.#heardMs = clock.monotonic();
    this.#cancelTimer = this.#listen(times.intervalMs);
  }

  /** Something came. */
  heard(): void {
    this.#heardMs = this.#clock.monotonic();
    if (!this.#isAsking) return;
    this.#isAsking = false;
    this.#cancelTimer();
    this.#cancelTimer = this.#listen(this.#times.intervalMs);
  }

  /** Asks now, and waits for a short time only. */
  probe(): void {
    if (!this.#isAsking) this.#ask(Math.min(PROBE_TIMEOUT_MS, this.#times.timeoutMs));
  }

  close(): void {
    this.#cancelTimer();
  }

  #listen(ms: number): CancelTimer {
    return this.#clock.after(ms, () => {
      const leftMs = this.#heardMs + this.#times.intervalMs - this.#clock.monotonic();
      if (leftMs > 0) this.#cancelTimer = this.#listen(leftMs);
      else this.#ask(this.#times.timeoutMs);
    });
  }

  #ask(timeoutMs: number): void {
    this.#isAsking = true;
    this.#cancelTimer();
    this.#cancelTimer = this.#clock.after(timeoutMs, () => this.#actions.onDead());
    this.#actions.ask();
  }
}
