import { type Clock, sleep } from "@pm/core";

/** How long the parts of a drain take. */
export interface DrainTimes {
  /**
   * Seconds in which connections are still accepted, since routes to this process change late; at most `deadlineSecs`.
   * None pass where nobody is connected when the drain begins.
   * @default 2
   */
  readonly graceSecs?: number | undefined;
  /**
   * Seconds over which the closes are spread.
   * @default 20
   */
  readonly windowSecs?: number | undefined;
  /**
   * Seconds from the beginning after which the rest is cut off.
   * @default 25
   */
  readonly deadlineSecs?: number | undefined;
}

/** How far the shutdown is. */
export type ShutdownPhase = "serving" | "grace" | "closing" | "done";

/** Something that a shutdown waits for: one connection. */
export interface Drainable {
  /** Tells it that the end is near, and when to come back. */
  goAway(reconnectAfterMs: number): void;
  /** Ends it in order: what was begun is finished first. */
  drain(): void;
  /** Ends it now. */
  terminate(): void;
}

/** Held by what a shutdown waits for; released when it has ended. Releasing twice does nothing. */
export class ShutdownGuard {
  readonly #drainable: Drainable;
  readonly #onReleased: (drainable: Drainable) => void;

  constructor(drainable: Drainable, onReleased: (drainable: Drainable) => void) {
    this.#drainable = drainable;
    this.#onReleased = onReleased;
  }

  release(): void {
    this.#onReleased(this.#drainable);
  }
}

/** Ends everything that holds a guard, in order and evenly over time. */
export class ShutdownCoordinator {
  readonly #clock: Clock;
  readonly #guarded = new Set<Drainable>();
  readonly #whenEmpty: (() => void)[] = [];
  #phase: ShutdownPhase = "serving";
  #draining: Promise<void> | undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  get phase(): ShutdownPhase {
    return this.#phase;
  }

  /** Those that have not ended; 0 before a shutdown begins. */
  get left(): number {
    return this.#phase === "serving" ? 0 : this.#guarded.size;
  }

  guard(drainable: Drainable): ShutdownGuard {
    this.#guarded.add(drainable);
    return new ShutdownGuard(drainable, this.#onReleased);
  }

  /**
   * Drains: grace, then GoAway to all with a spread hint, then closes evenly over the window; resolves as soon as
   * nothing is left, and at the deadline at the latest. Calling it again gives the same promise.
   * @param onClosing called when the grace is over: the listener has to close. What it throws rejects the promise, at
   * the end
   */
  drain(times: DrainTimes = {}, onClosing: () => void = () => undefined): Promise<void> {
    this.#draining ??= this.#drain(times, onClosing);
    return this.#draining;
  }

  async #drain(times: DrainTimes, onClosing: () => void): Promise<void> {
    const { graceSecs = 2, windowSecs = 20, deadlineSecs = 25 } = times;
    const deadlineMs = this.#clock.monotonic() + deadlineSecs * 1000;
    this.#phase = "grace";
    if (this.#guarded.size > 0) await sleep(this.#clock, Math.min(graceSecs, deadlineSecs) * 1000);
    this.#phase = "closing";
    // What fails there is told at the end: the connections are ended all the same.
    const [closing] = await Promise.allSettled([(async () => onClosing())()]);
    this.#spread(windowSecs * 1000);
    await Promise.race([this.#empty(), sleep(this.#clock, deadlineMs - this.#clock.monotonic())]);
    for (const drainable of this.#guarded) drainable.terminate();
    this.#phase = "done";
    if (closing.status === "rejected") throw closing.reason;
  }

  /** The hint comes at half of the time to the close, so that a client can open its next connection before that. */
  #spread(windowMs: number): void {
    const all = [...this.#guarded];
    for (const [index, drainable] of all.entries()) {
      const closeMs = (windowMs * (index + 1)) / all.length;
      drainable.goAway(Math.round(closeMs / 2));
      this.#clock.after(closeMs, () => drainable.drain());
    }
  }

  readonly #onReleased = (drainable: Drainable): void => {
    if (this.#guarded.delete(drainable) && this.#guarded.size === 0) for (const resolve of this.#whenEmpty) resolve();
  };

  #empty(): Promise<void> {
    if (this.#guarded.size === 0) return Promise.resolve();
    return new Promise((resolve) => this.#whenEmpty.push(resolve));
  }
}
