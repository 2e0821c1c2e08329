import { PUBLIC_ERRORS } from "@pm/proto";
import { Counter, Gauge, Histogram, Registry } from "prom-client";
import type { Run } from "../fanout/run.ts";
import { TenantLabels, topTenants } from "./tenant-labels.ts";

/** What is read off the server when metrics are collected. */
export interface WsGauges {
  readonly tenants: () => Iterable<readonly [string, number]>;
  readonly connections: () => number;
  readonly channels: () => number;
  readonly pendingBytes: () => number;
  /** Over all connections: what waits in sockets, who is behind, how many subscriptions there are, what went out. */
  readonly outbound: () => OutboundTotals;
  readonly drainLeft: () => number;
}

/** Sums over all connections. */
export interface OutboundTotals {
  readonly queuedBytes: number;
  readonly lagging: number;
  readonly subscriptions: number;
}

/** How a handshake ended. */
export type HandshakeOutcome =
  | "accepted"
  | "bad_request"
  | "unauthorized"
  | "forbidden"
  | "limited"
  | "overloaded"
  | "draining"
  | "timeout"
  | "failed";

/** What a client sent. */
const KINDS = [
  "subscribe",
  "unsubscribe",
  "publish",
  "refreshToken",
  "readHistory",
  "ping",
  "hello",
  "unknown",
] as const;
type Kind = (typeof KINDS)[number];

const SECONDS = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5];
const FAN_OUT = [1, 2, 5, 10, 50, 100, 500, 1000, 5000, 10_000];
const TOP_TENANTS = 20;

/** The metrics of connections and channels. Names begin with `pm_ws_`, labels are from closed sets. */
export class WsMetrics {
  readonly registry: Registry;
  readonly #opened: Counter;
  readonly #closed: Counter<"code">;
  readonly #handshakes: Counter<"outcome">;
  readonly #handshakeSeconds: Histogram;
  readonly #received: Record<Kind, Counter.Internal>;
  readonly #bytesIn: Counter;
  readonly #messagesOut: Counter;
  readonly #bytesOut: Counter;
  readonly #errors: Counter<"code">;
  readonly #rateLimited: Counter<"scope">;
  readonly #published: Counter<"tenant">;
  readonly #fanOut: Histogram;
  readonly #publishToSocket: Histogram;
  readonly #failures: Counter;
  readonly #tenantLabels = new TenantLabels(TOP_TENANTS);
  readonly #publishedOf = new Map<string, Counter.Internal>();

  /** @param registry where they are registered; @default a new one */
  constructor(registry: Registry = new Registry()) {
    this.registry = registry;
    const registers = [registry];
    const counter = (name: string, help: string): Counter => new Counter({ name, help, registers });
    this.#opened = counter("pm_ws_connections_opened_total", "Connections accepted");
    this.#closed = new Counter({
      name: "pm_ws_connections_closed_total",
      help: "Connections closed, by close code",
      labelNames: ["code"],
      registers,
    });
    this.#handshakes = new Counter({
      name: "pm_ws_handshakes_total",
      help: "Handshakes by outcome",
      labelNames: ["outcome"],
      registers,
    });
    this.#handshakeSeconds = new Histogram({
      name: "pm_ws_handshake_seconds",
      help: "Time from the upgrade request to its answer",
      buckets: SECONDS,
      registers,
    });
    const received = new Counter({
      name: "pm_ws_messages_received_total",
      help: "Client messages by kind",
      labelNames: ["kind"],
      registers,
    });
    this.#received = Object.fromEntries(KINDS.map((kind) => [kind, received.labels(kind)])) as Record<
      Kind,
      Counter.Internal
    >;
    this.#bytesIn = counter("pm_ws_received_bytes_total", "Bytes of client messages");
    this.#messagesOut = counter("pm_ws_messages_sent_total", "Server messages given to sockets");
    this.#bytesOut = counter("pm_ws_sent_bytes_total", "Bytes given to sockets");
    this.#errors = new Counter({
      name: "pm_ws_errors_total",
      help: "Errors told to clients, by code",
      labelNames: ["code"],
      registers,
    });
    this.#rateLimited = new Counter({
      name: "pm_ws_rate_limited_total",
      help: "Messages over a rate or quota, by whose",
      labelNames: ["scope"],
      registers,
    });
    this.#published = new Counter({
      name: "pm_ws_publications_total",
      help: "Publications appended by clients, by tenant (the first 20, then other)",
      labelNames: ["tenant"],
      registers,
    });
    this.#fanOut = new Histogram({
      name: "pm_ws_fan_out_subscribers",
      help: "Subscribers to whom a run of publications was offered",
      buckets: FAN_OUT,
      registers,
    });
    this.#publishToSocket = new Histogram({
      name: "pm_ws_publish_to_socket_seconds",
      help: "Time from the append of a run's first publication to its last offer",
      buckets: SECONDS,
      registers,
    });
    this.#failures = counter("pm_ws_command_failures_total", "Commands that failed for reasons of our own");
  }

  /** Adds the gauges of a server. */
  observe(gauges: WsGauges): void {
    const registers = [this.registry];
    const gauge = (name: string, help: string, read: () => number): Gauge =>
      new Gauge({
        name,
        help,
        registers,
        collect() {
          this.set(read());
        },
      });
    gauge("pm_ws_connections_active", "Open connections", gauges.connections);
    gauge("pm_ws_channels_active", "Channels with a subscriber here", gauges.channels);
    gauge("pm_ws_fan_out_pending_bytes", "Bytes of publications that wait for their fan-out", gauges.pendingBytes);
    gauge("pm_ws_queued_bytes", "Bytes that sockets have not taken", () => gauges.outbound().queuedBytes);
    gauge("pm_ws_lagging_connections", "Connections that are behind", () => gauges.outbound().lagging);
    gauge("pm_ws_subscriptions_active", "Subscriptions", () => gauges.outbound().subscriptions);
    gauge("pm_ws_drain_connections_left", "Connections that a drain has still to close", gauges.drainLeft);
    new Gauge({
      name: "pm_ws_tenant_connections",
      help: "Open connections by tenant (the 20 with the most, then other)",
      labelNames: ["tenant"],
      registers,
      collect() {
        this.reset();
        for (const [tenant, value] of topTenants(gauges.tenants(), TOP_TENANTS)) this.set({ tenant }, value);
      },
    });
  }

  handshake(outcome: HandshakeOutcome, seconds: number): void {
    this.#handshakes.inc({ outcome });
    this.#handshakeSeconds.observe(seconds);
  }

  opened(): void {
    this.#opened.inc();
  }

  closed(code: number): void {
    this.#closed.inc({ code: String(code >= 1000 && code < 5000 ? code : 1006) });
  }

  received(kind: Exclude<Kind, "unknown"> | undefined): void {
    this.#received[kind ?? "unknown"].inc();
  }

  /** Counts of one connection since they were last taken. */
  traffic(counts: { readonly bytesIn: number; readonly messagesOut: number; readonly bytesOut: number }): void {
    this.#bytesIn.inc(counts.bytesIn);
    this.#messagesOut.inc(counts.messagesOut);
    this.#bytesOut.inc(counts.bytesOut);
  }

  error(code: string): void {
    this.#errors.inc({ code: Object.hasOwn(PUBLIC_ERRORS, code) ? code : "INTERNAL_ERROR" });
  }

  rateLimited(scope: "connection" | "tenant"): void {
    this.#rateLimited.inc({ scope });
  }

  published(tenant: string): void {
    const label = this.#tenantLabels.of(tenant);
    let child = this.#publishedOf.get(label);
    if (child === undefined) {
      child = this.#published.labels(label);
      this.#publishedOf.set(label, child);
    }
    child.inc();
  }

  fannedOut(run: Run, offered: { readonly subscriptions: number; readonly nowMs: number }): void {
    this.#fanOut.observe(offered.subscriptions);
    this.#publishToSocket.observe(Math.max(0, offered.nowMs - (run.entries[0]?.publishedAtMs ?? offered.nowMs)) / 1000);
  }

  failed(): void {
    this.#failures.inc();
  }
}
