import type { Clock } from "@pm/core";
import { AuthError } from "./auth-error.ts";

/** Bounds of the work that is under way. */
export interface GateLimits {
  readonly maxPending: number;
  readonly timeoutMs: number;
}

/** What a token is told for which there is no room. */
const FULL_RETRY_MS = 1000;

/**
 * Bounds verifications in number and in time, and does one only once for tokens that come at the same time. Work that
 * takes too long is given up by those who wait, and keeps its place until it really ends.
 */
export class VerificationGate<T> {
  readonly #limits: GateLimits;
  readonly #clock: Clock;
  readonly #pending = new Map<string, Promise<T>>();

  constructor(limits: GateLimits, clock: Clock) {
    this.#limits = limits;
    this.#clock = clock;
  }

  get pending(): number {
    return this.#pending.size;
  }

  /**
   * The outcome of the work for this token.
   * @throws AuthError (as a rejection) `UNAVAILABLE` over a bound, else what the work throws
   */
  run(token: string, work: () => Promise<T>): Promise<T> {
    const running = this.#pending.get(token);
    if (running !== undefined) return running;
    if (this.#pending.size >= this.#limits.maxPending) {
      const reason = `${this.#pending.size} are being verified (max ${this.#limits.maxPending})`;
      return Promise.reject(AuthError.unavailable(reason, FULL_RETRY_MS));
    }
    const bounded = this.#inTime(this.#counted(token, work));
    this.#pending.set(token, bounded);
    return bounded;
  }

  async #counted(token: string, work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } finally {
      this.#pending.delete(token);
    }
  }

  async #inTime(work: Promise<T>): Promise<T> {
    const { timeoutMs } = this.#limits;
    const timeout = Promise.withResolvers<never>();
    const cancel = this.#clock.after(timeoutMs, () => {
      timeout.reject(AuthError.unavailable(`it took more than ${timeoutMs} ms`, FULL_RETRY_MS));
    });
    try {
      return await Promise.race([work, timeout.promise]);
    } finally {
      cancel();
    }
  }
}
