import type { Connection } from "../connection/connection.ts";
import type { Clock } from "../platform/clock.ts";

/** Milliseconds between two turns: a server lets 20 a second through when more have come at once. */
const APART_MS = 60;

/**
 * When what a server has refused over its rate is sent again. What was refused together is not sent together: all but
 * one would be refused again, and a server closes connections that go on like that.
 */
export class RetryTurns {
  readonly #clock: Clock;
  readonly #lastMs = new WeakMap<Connection, number>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Milliseconds until the next turn over a connection, which is taken; at least `hintMs`. */
  take(connection: Connection, hintMs: number): number {
    const nowMs = this.#clock.monotonic();
    const lastMs = this.#lastMs.get(connection) ?? Number.NEGATIVE_INFINITY;
    const turnMs = Math.max(nowMs + hintMs, lastMs + APART_MS);
    this.#lastMs.set(connection, turnMs);
    return turnMs - nowMs;
  }
}
