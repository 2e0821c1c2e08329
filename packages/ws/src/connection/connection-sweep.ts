import type { CancelTimer, Clock } from "@pm/core";
import { CloseCode } from "@pm/proto";
import type { ResolvedWsOptions } from "../ws-options.ts";
import { type ConnectionWatch, newWatch } from "./connection-watch.ts";
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
      const watch = this.#watchOf(connection);
      this.#watchExpiry(connection, nowMs);
      this.#watchMessage(connection, watch);
      this.#watchProgress(connection, watch);
      this.#watchHeartbeat(connection, watch);
    }
  }

  #watchOf(connection: WebSocketConnection): ConnectionWatch {
    // Spread over the interval, so that pings of connections that came together do not go out together.
    connection.watch ??= newWatch(this.#tick - (spreadOf(connection.id) % this.#options.heartbeatIntervalSecs));
    return connection.watch;
  }

  #watchExpiry(connection: WebSocketConnection, nowMs: number): void {
    if (connection.context.expiresAtMs + this.#options.expiryGraceSecs * 1000 > nowMs) return;
    connection.close({ code: CloseCode.TOKEN_EXPIRED, reason: "the token has expired" });
  }

  #watchMessage(connection: WebSocketConnection, watch: ConnectionWatch): void {
    if (!awaitsRestOfMessage(connection.webSocket)) {
      watch.halfSent = undefined;
      return;
    }
    if (watch.halfSent?.messages !== connection.messagesIn) {
      watch.halfSent = { sinceTick: this.#tick, messages: connection.messagesIn };
      return;
    }
    if (this.#tick - watch.halfSent.sinceTick < this.#options.messageTimeoutSecs) return;
    connection.close({ code: CloseCode.POLICY, reason: "a message was not finished" });
  }

  #watchProgress(connection: WebSocketConnection, watch: ConnectionWatch): void {
    if (!connection.outbox.isBehind) {
      watch.behind = undefined;
      return;
    }
    const taken = connection.takenBytes;
    watch.behind ??= { sinceTick: this.#tick, takenBytes: taken, seenBytes: taken };
    const { behind } = watch;
    if (taken !== behind.seenBytes) {
      behind.seenBytes = taken;
      connection.lastSeenTick = this.#tick;
    }
    if (this.#tick - behind.sinceTick < STALL_TICKS) return;
    if (taken - behind.takenBytes < STALL_TICKS * this.#options.minDrainBytesPerSec) {
      connection.close({ code: CloseCode.SLOW_CLIENT, reason: "takes data too slowly" });
      return;
    }
    behind.sinceTick = this.#tick;
    behind.takenBytes = taken;
  }

  #watchHeartbeat(connection: WebSocketConnection, watch: ConnectionWatch): void {
    const { heartbeatIntervalSecs, heartbeatTimeoutSecs } = this.#options;
    // Its answers are not read.
    if (connection.isPaused) connection.lastSeenTick = this.#tick;
    if (connection.lastSeenTick >= watch.unansweredSince) watch.unansweredSince = 0;
    if (watch.unansweredSince !== 0 && this.#tick - watch.unansweredSince >= heartbeatTimeoutSecs) {
      connection.close({ code: CloseCode.HEARTBEAT_TIMEOUT, reason: "no sign of life" });
      return;
    }
    if (this.#tick - watch.pingTick < heartbeatIntervalSecs) return;
    watch.pingTick = this.#tick;
    if (watch.unansweredSince === 0) watch.unansweredSince = this.#tick;
    connection.webSocket.ping();
  }
}

function spreadOf(id: string): number {
  return Number.parseInt(id.slice(-4), 16);
}
