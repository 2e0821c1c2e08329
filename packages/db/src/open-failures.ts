import type { Clock, TenantId } from "@pm/core";

/** Failures that are remembered; beyond it the oldest is forgotten, and its tenant is merely tried again. */
const MAX_REMEMBERED = 1000;

interface Failure {
  readonly error: unknown;
  readonly untilMs: number;
}

/**
 * Tenants whose database could not be opened just now. Opening holds the event loop, a failing migration for long, so
 * a tenant that cannot be opened and is asked for again and again must not be tried each time.
 */
export class OpenFailures {
  readonly #clock: Clock;
  readonly #retryAfterMs: number;
  readonly #failures = new Map<TenantId, Failure>();

  constructor(clock: Clock, retryAfterMs: number) {
    this.#clock = clock;
    this.#retryAfterMs = retryAfterMs;
  }

  /** Runs `open`, or throws again what it threw within the last `retryAfterMs`. */
  guard<T>(tenant: TenantId, open: () => T): T {
    const failure = this.#failures.get(tenant);
    if (failure !== undefined && failure.untilMs > this.#clock.monotonic()) throw failure.error;
    this.#failures.delete(tenant);
    try {
      return open();
    } catch (error) {
      this.#remember(tenant, error);
      throw error;
    }
  }

  /** The next one tries again at once. */
  forget(tenant: TenantId): void {
    this.#failures.delete(tenant);
  }

  #remember(tenant: TenantId, error: unknown): void {
    this.#failures.set(tenant, { error, untilMs: this.#clock.monotonic() + this.#retryAfterMs });
    const oldest = this.#failures.keys().next();
    if (this.#failures.size > MAX_REMEMBERED && oldest.done !== true) this.#failures.delete(oldest.value);
  }
}
