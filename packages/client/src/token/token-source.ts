import { PmClientError } from "../pm-client-error.ts";
import type { CancelTimer, Clock } from "../platform/clock.ts";
import type { Randomness } from "../platform/randomness.ts";
import { waitMs } from "../reconnect/backoff.ts";

/**
 * Why a token is wanted: for the first connection, because the one there is expires soon, because it has expired, or
 * because the server refused it.
 */
export type TokenReason = "connect" | "refresh" | "expired" | "refused";

/** What `getToken` is told. */
export interface TokenRequest {
  readonly reason: TokenReason;
  /** Aborted when the answer is not waited for any more. */
  readonly signal: AbortSignal;
}

/**
 * Gives a token. When it throws `PmClientError.unauthorized()` the client stops; after any other failure it is asked
 * again, later.
 */
export type GetToken = (request: TokenRequest) => string | Promise<string>;

/** What a TokenSource is made of. */
export interface TokenPorts {
  readonly clock: Clock;
  readonly random: Randomness;
  /** Milliseconds that one call of `getToken` may take. */
  readonly timeoutMs: number;
  /** Told of every failure that is tried again. */
  readonly onFailure: (error: PmClientError) => void;
}

/** What the platform takes in a subprotocol, RFC 9110, section 5.6.2. */
const TOKEN = /^[\w!#$%&'*+.^`|~-]{1,8192}$/;
const RETRY = { kind: "backoff", baseMs: 500, leastMs: 100 } as const;

/** Keeps the current token, and fetches the next: one flight at a time, tried again with jitter until it succeeds. */
export class TokenSource {
  readonly #getToken: GetToken;
  readonly #ports: TokenPorts;
  #token: string | undefined;
  #freshUntilMs: number | undefined;
  #flight: TokenFlight | undefined;

  constructor(getToken: GetToken, ports: TokenPorts) {
    this.#getToken = getToken;
    this.#ports = ports;
  }

  /** The token there is, or else a new one. */
  async current(): Promise<string> {
    const isStale = this.#freshUntilMs !== undefined && this.#ports.clock.monotonic() >= this.#freshUntilMs;
    if (this.#token !== undefined && !isStale) return this.#token;
    return this.fetch(isStale ? "refresh" : "connect");
  }

  /**
   * Fetches a new token. A flight that is under way serves everybody.
   * @throws PmClientError `UNAUTHORIZED` when `getToken` said so, `CLOSED` after `close`
   */
  async fetch(reason: TokenReason): Promise<string> {
    if (this.#flight !== undefined && reason !== "refresh") this.#flight.urge(reason);
    this.#flight ??= new TokenFlight(this.#getToken, this.#ports, reason);
    const flight = this.#flight;
    try {
      const token = await flight.landed;
      if (this.#flight === flight) {
        this.#token = token;
        this.#freshUntilMs = undefined;
      }
      return token;
    } finally {
      if (this.#flight === flight) this.#flight = undefined;
    }
  }

  /** The server took the current token; it is not used for a new connection after this time. */
  accepted(freshForMs: number): void {
    this.#freshUntilMs = this.#ports.clock.monotonic() + freshForMs;
  }

  /** Does not wait any longer before the next try. */
  hurry(): void {
    this.#flight?.hurry();
  }

  /** Ends a flight that is under way and forgets the token; the source can be used again. */
  close(): void {
    this.#flight?.close();
    this.#flight = undefined;
    this.#token = undefined;
    this.#freshUntilMs = undefined;
  }
}

/** Calls `getToken` until it succeeds. */
class TokenFlight {
  readonly landed: Promise<string>;
  readonly #getToken: GetToken;
  readonly #ports: TokenPorts;
  #reason: TokenReason;
  readonly #ended = new AbortController();
  #failures = 0;
  #cancelTimer: CancelTimer | undefined;
  #proceed: (() => void) | undefined;

  constructor(getToken: GetToken, ports: TokenPorts, reason: TokenReason) {
    this.#getToken = getToken;
    this.#ports = ports;
    this.#reason = reason;
    this.landed = this.#fly();
  }

  hurry(): void {
    this.#proceed?.();
  }

  /** Somebody else waits for it, for a reason of his own. */
  urge(reason: TokenReason): void {
    this.#reason = reason;
    this.hurry();
  }

  close(): void {
    this.#ended.abort();
    this.#proceed?.();
  }

  async #fly(): Promise<string> {
    // In a turn of its own: `getToken` may close the client, which has to find this flight.
    await Promise.resolve();
    while (!this.#ended.signal.aborted) {
      const error = await this.#try();
      if (typeof error === "string") return error;
      if (this.#ended.signal.aborted) break;
      if (error.code === "UNAUTHORIZED") throw error;
      const paused = this.#pause();
      // Who is told may close the client, which ends the pause.
      this.#ports.onFailure(error);
      await paused;
    }
    throw PmClientError.closed("the client");
  }

  async #try(): Promise<string | PmClientError> {
    const attempt = new AbortController();
    const cancelTimer = this.#ports.clock.after(this.#ports.timeoutMs, () => attempt.abort());
    const signal = AbortSignal.any([attempt.signal, this.#ended.signal]);
    try {
      const token = await Promise.race([this.#getToken({ reason: this.#reason, signal }), aborted(signal)]);
      if (typeof token === "string" && TOKEN.test(token)) return token;
      return PmClientError.tokenFailed("getToken gave something that is not a token");
    } catch (cause) {
      if (cause instanceof PmClientError) return cause;
      return PmClientError.tokenFailed("getToken failed", cause);
    } finally {
      cancelTimer();
    }
  }

  #pause(): Promise<void> {
    const ms = waitMs(RETRY, this.#failures++, this.#ports.random);
    return new Promise((resolve) => {
      this.#proceed = () => {
        this.#cancelTimer?.();
        resolve();
      };
      this.#cancelTimer = this.#ports.clock.after(ms, resolve);
    });
  }
}

function aborted(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    const onAbort = (): void => reject(PmClientError.tokenFailed("getToken took too long"));
    if (signal.aborted) onAbort();
    else signal.addEventListener("abort", onAbort, { once: true });
  });
}
