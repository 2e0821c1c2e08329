import type { Connection } from "../connection/connection.ts";
import type { Reply } from "../connection/pending-replies.ts";
import { PmClientError } from "../pm-client-error.ts";
import type { CancelTimer, Clock } from "../platform/clock.ts";
import type { Randomness } from "../platform/randomness.ts";
import { waitMs } from "../reconnect/backoff.ts";
import type { TokenSource } from "./token-source.ts";

/** When a token expires, by the clock of the server, as Welcome and TokenRefreshed tell it. */
export interface TokenExpiry {
  readonly tokenExpiresAtMs: number;
  readonly serverTimeMs: number;
}

/** What a TokenRefresher is made of. */
export interface TokenRefresherPorts {
  readonly tokens: TokenSource;
  readonly clock: Clock;
  readonly random: Randomness;
  /** A refresh was refused or not answered; it is tried again. */
  readonly onFailure: (error: PmClientError) => void;
  /** There will be no token again. */
  readonly onUnauthorized: (error: PmClientError) => void;
}

/** Of the life of a token, the part after which it is refreshed at the latest, and how far before that it may be. */
const LATEST = 0.75;
const SPREAD = 0.1;
/** Refreshes are never closer than this, however short tokens live. */
const LEAST_MS = 1_000;
const RETRY = { kind: "backoff", baseMs: 500, leastMs: 500 } as const;

/** Refreshes the token of a connection in place, in time. */
export class TokenRefresher {
  readonly #ports: TokenRefresherPorts;
  #connection: Connection | undefined;
  #cancelTimer: CancelTimer | undefined;
  #failures = 0;

  constructor(ports: TokenRefresherPorts) {
    this.#ports = ports;
  }

  /** Watches over the token of this connection from now on. */
  watch(connection: Connection, expiry: TokenExpiry): void {
    this.#connection = connection;
    this.#failures = 0;
    this.#accepted(expiry);
  }

  close(): void {
    this.#connection = undefined;
    this.#cancelTimer?.();
  }

  #accepted({ tokenExpiresAtMs, serverTimeMs }: TokenExpiry): void {
    const part = LATEST - SPREAD * this.#ports.random.fraction();
    const freshMs = Math.max(LEAST_MS, (tokenExpiresAtMs - serverTimeMs) * part);
    this.#ports.tokens.accepted(freshMs);
    this.#refreshAfter(freshMs);
  }

  #refreshAfter(ms: number): void {
    this.#cancelTimer?.();
    this.#cancelTimer = this.#ports.clock.after(ms, () => void this.#refresh());
  }

  async #refresh(): Promise<void> {
    const connection = this.#connection;
    try {
      const token = await this.#ports.tokens.fetch("refresh");
      if (connection === undefined || this.#connection !== connection) return;
      connection.send({ kind: "refreshToken", value: { token } }, (reply) => this.#onReply(connection, reply));
    } catch (error) {
      if (this.#connection !== connection) return;
      if (error instanceof PmClientError && error.code === "UNAUTHORIZED") this.#ports.onUnauthorized(error);
    }
  }

  #onReply(connection: Connection, reply: Reply): void {
    if (this.#connection !== connection) return;
    if (reply.kind === "answer" && reply.body?.kind === "tokenRefreshed") {
      this.#failures = 0;
      this.#accepted(reply.body.value);
      return;
    }
    if (reply.kind === "lost") return;
    const hintMs = reply.kind === "refused" ? reply.error.retryAfterMs : 0;
    this.#refreshAfter(Math.max(hintMs, waitMs(RETRY, this.#failures++, this.#ports.random)));
    // Last: who is told may close the client.
    if (reply.kind === "refused") this.#ports.onFailure(PmClientError.fromServer(reply.error));
    if (reply.kind === "timeout") this.#ports.onFailure(PmClientError.timeout("RefreshToken", reply.afterMs));
  }
}
