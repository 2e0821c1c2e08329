/** A load: called in every turn of a loop; false ends it. */
export type Turn = (nowMs: number) => boolean;

/** What a loop needs to know of the work that is done around it. */
export interface WorkCounter {
  /** Grows with everything that is received or sent. */
  readonly work: number;
}

/** Calls a load again and again, and knows how much of the time there was something to do. */
export interface TurnLoop {
  run(turn: Turn): Promise<void>;
  /** Milliseconds of work so far, out of all that have passed. */
  busyMs(): number;
}

/** Never sleeps: turns of the event loop, one right after the other. Turns in which nothing happened are idle time. */
export class SpinLoop implements TurnLoop {
  readonly #counter: WorkCounter;
  readonly #startMs = performance.now();
  #idleMs = 0;

  constructor(counter: WorkCounter) {
    this.#counter = counter;
  }

  busyMs(): number {
    return performance.now() - this.#startMs - this.#idleMs;
  }

  run(turn: Turn): Promise<void> {
    return new Promise((resolve) => {
      let lastMs = performance.now();
      let seen = this.#counter.work;
      const step = (): void => {
        const nowMs = performance.now();
        if (this.#counter.work === seen) this.#idleMs += nowMs - lastMs;
        else seen = this.#counter.work;
        lastMs = nowMs;
        if (turn(nowMs)) setImmediate(step);
        else resolve();
      };
      step();
    });
  }
}

/** Sleeps between turns. Idle time is what the event loop spends waiting. */
export class SleepingLoop implements TurnLoop {
  busyMs(): number {
    return performance.eventLoopUtilization().active;
  }

  run(turn: Turn): Promise<void> {
    return new Promise((resolve) => {
      const timer = setInterval(() => {
        if (turn(performance.now())) return;
        clearInterval(timer);
        resolve();
      }, 1);
    });
  }
}
