import type { Clock } from "../platform/clock.ts";
import type { ErrorMessage, GoAway, ServerMessage } from "../wire/messages.ts";

/** A `retry_after_ms` that means: never with this message. */
const NEVER_MS = 4_294_967_295;

/** True for a refusal after which the same may be sent again: there is room later. */
export function isOverRate({ code, retryAfterMs }: ErrorMessage): boolean {
  return code === "RATE_LIMIT_EXCEEDED" && retryAfterMs !== NEVER_MS;
}

/** Remembers what the server of one connection said about coming back. */
export class ServerHints {
  readonly #clock: Clock;
  #errorUntilMs: number | undefined;
  #goAwayUntilMs: number | undefined;
  #lastError: ErrorMessage | undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** The Error that was the last message of the server. */
  get lastError(): ErrorMessage | undefined {
    return this.#lastError;
  }

  /** Milliseconds that are left of the wait that an Error asked for; undefined when there is none any more. */
  get errorLeftMs(): number | undefined {
    return this.#left(this.#errorUntilMs);
  }

  /** Milliseconds that are left of the wait that a GoAway asked for; undefined when there is none any more. */
  get goAwayLeftMs(): number | undefined {
    return this.#left(this.#goAwayUntilMs);
  }

  get hasGoAway(): boolean {
    return this.#goAwayUntilMs !== undefined;
  }

  /** Takes note of every message of the server. */
  note({ body }: ServerMessage): void {
    this.#lastError = body?.kind === "error" ? body.value : undefined;
    if (body?.kind === "error") this.#noteError(body.value);
    else if (body?.kind === "goAway") this.#noteGoAway(body.value);
  }

  #noteError({ retryAfterMs }: ErrorMessage): void {
    if (retryAfterMs === 0 || retryAfterMs === NEVER_MS) return;
    this.#errorUntilMs = this.#clock.monotonic() + retryAfterMs;
  }

  #noteGoAway({ reconnectAfterMs }: GoAway): void {
    this.#goAwayUntilMs = this.#clock.monotonic() + reconnectAfterMs;
  }

  #left(untilMs: number | undefined): number | undefined {
    const nowMs = this.#clock.monotonic();
    return untilMs === undefined || untilMs <= nowMs ? undefined : untilMs - nowMs;
  }
}
