import type { CancelTimer, Clock } from "@pm/core";
import { CloseCode } from "@pm/proto";
import type { ResolvedWsOptions } from "../ws-options.ts";
import type { FallenBehind, HalfSent } from "./connection-watch.ts";
import { awaitsRestOfMessage } from "./receiver.ts";
import type { WebSocketConnection } from "./websocket-connection.ts";

/** Seconds that a connection that is behind may take less than the least. */
const STALL_TICKS = 15;

/**
 * Looks at every connection once a second: heartbeats, half-sent messages, stalled readers, expired tokens. There is no
 * timer a connection, and time is counted in sweeps, so that a process that was stopped for a while gives every client
 * the time that it could not use.
 */
export class ConnectionSweep {
  readonly #connections: Iterable<WebSocketConnection>;
  readonly #options: ResolvedWsOptions;
  readonly #clock: Clock;
  readonly #cancel: CancelTimer;
  #tick = 1;

  constructor(ports: {
    readonly connections: Iterable<WebSocketConnection>;
    readonly options: ResolvedWsOptions;
    readonly clock: Clock;
  }) {
    this.#connections = ports.connections;
    this.#options = ports.options;
    this.#clock = ports.clock;
    this.#cancel = ports.clock.every(1000, () => this.run());
  }

  get tick(): number {
    return this.#tick;
  }

  close(): void {
    this.#cancel();
  }

  /** One sweep. */
  run(): void {
    this.#tick++;
    const nowMs = this.#clock.now();
    for (const connection of this.#connections) {
      if (connection.closing !== undefined) continue;
      this.#watchExpiry(connection, nowMs);
      const halfSent = this.#watchMessage(connection);
      const behind = this.#watchProgress(connection);
      connection.watch = halfSent === undefined && behind === undefined ? undefined : { halfSent, behind };
      this.#watchHeartbeat(connection);
      this.#forgetLimiters(connection);
    }
  }

  /** They are not the package's own, and may throw. */
  #forgetLimiters(connection: WebSocketConnection): void {
    try {
      connection.forgetFullLimiters();
    } catch (error) {
      connection.fail(error);
    }
  }

  #watchExpiry(connection: WebSocketConnection, nowMs: number): void {
    if (connection.context.expiresAtMs + this.#options.expiryGraceSecs * 1000 > nowMs) return;
    connection.close({ code: CloseCode.TOKEN_EXPIRED, reason: "the token has expired" });
  }

  #watchMessage(connection: WebSocketConnection): HalfSent | undefined {
    if (!awaitsRestOfMessage(connection.webSocket)) return undefined;
    const halfSent = connection.watch?.halfSent;
    if (halfSent?.messages !== connection.messagesIn) {
      return { sinceTick: this.#tick, messages: connection.messagesIn };
    }
    if (this.#tick - halfSent.sinceTick >= this.#options.messageTimeoutSecs) {
      connection.close({ code: CloseCode.POLICY, reason: "a message was not finished" });
    }
    return halfSent;
  }

  #watchProgress(connection: WebSocketConnection): FallenBehind | undefined {
    if (!connection.outbox.isBehind) return undefined;
    const taken = connection.takenBytes;
    const behind = connection.watch?.behind ?? { sinceTick: this.#tick, takenBytes: taken, seenBytes: taken };
    if (taken !== behind.seenBytes) connection.lastSeenTick = this.#tick;
    if (this.#tick - behind.sinceTick < STALL_TICKS) return { ...behind, seenBytes: taken };
    if (taken - behind.takenBytes < STALL_TICKS * this.#options.minDrainBytesPerSec) {
      connection.close({ code: CloseCode.SLOW_CLIENT, reason: "takes data too slowly" });
    }
    return { sinceTick: this.#tick, takenBytes: taken, seenBytes: taken };
  }

  #watchHeartbeat(connection: WebSocketConnection): void {
    const { heartbeatIntervalSecs, heartbeatTimeoutSecs } = this.#options;
    // Its answers are not read.
    if (connection.isPaused) connection.lastSeenTick = this.#tick;
    if (connection.lastSeenTick >= connection.unansweredSince) connection.unansweredSince = 0;
    if (connection.unansweredSince !== 0 && this.#tick - connection.unansweredSince >= heartbeatTimeoutSecs) {
      connection.close({ code: CloseCode.HEARTBEAT_TIMEOUT, reason: "no sign of life" });
      return;
    }
    if (this.#tick - connection.pingTick < heartbeatIntervalSecs) return;
    connection.pingTick = this.#tick;
    if (connection.unansweredSince === 0) connection.unansweredSince = this.#tick;
    connection.webSocket.ping();
  }
}
