import type { CancelTimer, Clock } from "@pm/core";
import { CloseCode } from "@pm/proto";
import type { WsMetrics } from "../metrics/ws-metrics.ts";
import type { ResolvedWsOptions } from "../ws-options.ts";
import { type ConnectionWatch, newWatch } from "./connection-watch.ts";
import { awaitsRestOfMessage } from "./receiver.ts";
import type { WebSocketConnection } from "./websocket-connection.ts";

/** Seconds that a connection that is behind may take less than the least. */
const STALL_TICKS = 15;

/** Of a connection that ends before the first sweep. */
const NOTHING_SEEN = newWatch(0);

/**
 * Looks at every connection once a second: heartbeats, half-sent messages, stalled readers, expired tokens. There is no
 * timer a connection, and time is counted in sweeps, so that a process that was stopped for a while gives every client
 * the time that it could not use.
 */
export class ConnectionSweep {
  readonly #connections: Iterable<WebSocketConnection>;
  readonly #options: ResolvedWsOptions;
  readonly #clock: Clock;
  readonly #metrics: WsMetrics;
  readonly #cancel: CancelTimer;
  #tick = 1;

  constructor(ports: {
    readonly connections: Iterable<WebSocketConnection>;
    readonly options: ResolvedWsOptions;
    readonly clock: Clock;
    readonly metrics: WsMetrics;
  }) {
    this.#connections = ports.connections;
    this.#options = ports.options;
    this.#clock = ports.clock;
    this.#metrics = ports.metrics;
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
      const watch = this.#watchOf(connection);
      this.countTraffic(connection);
      if (connection.closing !== undefined) continue;
      this.#watchExpiry(connection, nowMs);
      this.#watchMessage(connection, watch);
      this.#watchProgress(connection, watch);
      this.#watchHeartbeat(connection, watch);
    }
  }

  /** Moves what a connection has counted since the last time into the metrics. */
  countTraffic(connection: WebSocketConnection): void {
    const { watch, bytesIn } = connection;
    const { messagesOut, bytesOut } = connection.outbox;
    const seen = watch ?? NOTHING_SEEN;
    if (bytesIn === seen.bytesIn && bytesOut === seen.bytesOut && messagesOut === seen.messagesOut) return;
    this.#metrics.traffic({
      bytesIn: bytesIn - seen.bytesIn,
      messagesOut: messagesOut - seen.messagesOut,
      bytesOut: bytesOut - seen.bytesOut,
    });
    if (watch === undefined) return;
    watch.bytesIn = bytesIn;
    watch.messagesOut = messagesOut;
    watch.bytesOut = bytesOut;
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
      watch.partialSince = 0;
      return;
    }
    if (watch.partialSince === 0 || watch.partialMessages !== connection.messagesIn) {
      watch.partialSince = this.#tick;
      watch.partialMessages = connection.messagesIn;
      return;
    }
    if (this.#tick - watch.partialSince < this.#options.messageTimeoutSecs) return;
    connection.close({ code: CloseCode.POLICY, reason: "a message was not finished" });
  }

  #watchProgress(connection: WebSocketConnection, watch: ConnectionWatch): void {
    if (!connection.outbox.isBehind) {
      watch.behindSince = 0;
      return;
    }
    const taken = connection.takenBytes;
    if (watch.behindSince === 0) {
      watch.behindSince = this.#tick;
      watch.takenBytes = taken;
      watch.seenBytes = taken;
    }
    if (taken !== watch.seenBytes) {
      watch.seenBytes = taken;
      connection.lastSeenTick = this.#tick;
    }
    if (this.#tick - watch.behindSince < STALL_TICKS) return;
    if (taken - watch.takenBytes < STALL_TICKS * this.#options.minDrainBytesPerSec) {
      connection.close({ code: CloseCode.SLOW_CLIENT, reason: "takes data too slowly" });
      return;
    }
    watch.behindSince = this.#tick;
    watch.takenBytes = taken;
  }

  #watchHeartbeat(connection: WebSocketConnection, watch: ConnectionWatch): void {
    const { heartbeatIntervalSecs, heartbeatTimeoutSecs } = this.#options;
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
