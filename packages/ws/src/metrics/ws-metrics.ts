import { CloseCode, PUBLIC_ERRORS } from "@pm/proto";
import { Counter, Gauge, Registry } from "prom-client";
import type { Run } from "../fanout/run.ts";
import { HotHistogram } from "./hot-histogram.ts";
import { type Tally, tallied, talliedBy } from "./tally.ts";
import { TenantLabels, topTenants } from "./tenant-labels.ts";

/** What is read off the server when metrics are collected. */
export interface WsGauges {
  readonly tenants: () => Iterable<readonly [string, number]>;
  readonly connections: () => number;
  readonly channels: () => number;
  readonly pendingBytes: () => number;
  readonly logBytes: () => number;
  /** Of the open connections, and the traffic of those that have ended. */
  readonly totals: () => ConnectionTotals;
  readonly drainLeft: () => number;
}

/** Sums over connections. */
export interface ConnectionTotals extends Traffic {
  /** Bytes that sockets have not taken. */
  readonly queuedBytes: number;
  /** Connections that are behind. */
  readonly lagging: number;
  readonly subscriptions: number;
}

/** What went over connections since the start. */
export interface Traffic {
  readonly bytesIn: number;
  readonly messagesOut: number;
  readonly bytesOut: number;
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
const RECEIVED = [
  "subscribe",
  "unsubscribe",
  "publish",
  "refreshToken",
  "readHistory",
  "ping",
  "hello",
  "unknown",
] as const;
type ReceivedKind = (typeof RECEIVED)[number];

/** What a connection was sent beside publications. */
const SENT = [
  "welcome",
  "subscribed",
  "unsubscribed",
  "published",
  "tokenRefreshed",
  "historyPage",
  "pong",
  "lagged",
  "goAway",
  "error",
] as const;
type SentKind = (typeof SENT)[number];

const SECONDS = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5];
const FAN_OUT = [1, 2, 5, 10, 50, 100, 500, 1000, 5000, 10_000];
const TOP_TENANTS = 20;
/** What a client may close with; a client that closes with another code, also one of ours, is `other`. */
const CLIENT_CLOSE_CODES: ReadonlySet<number> = new Set([CloseCode.NORMAL, CloseCode.GOING_AWAY, CloseCode.ABNORMAL]);

/** The metrics of connections and channels. Names begin with `pm_ws_`, labels are from closed sets. */
export class WsMetrics {
  readonly registry: Registry;
  readonly #opened: Tally;
  readonly #closed: (code: string) => Tally;
  readonly #handshakes: (outcome: string) => Tally;
  readonly #handshakeSeconds: HotHistogram;
  readonly #messageSeconds: HotHistogram;
  readonly #received: Readonly<Record<ReceivedKind, Tally>>;
  /** Since the start. */
  readonly #sent = Object.fromEntries(SENT.map((kind) => [kind, 0])) as Record<SentKind, number>;
  readonly #errors: (code: string) => Tally;
  readonly #rateLimited: (scope: string) => Tally;
  readonly #published: (tenant: string) => Tally;
  readonly #fanOut: HotHistogram;
  readonly #publishToSocket: HotHistogram;
  readonly #tenantLabels = new TenantLabels(TOP_TENANTS);

  /** @param registry where they are registered; @default a new one */
  constructor(registry: Registry = new Registry()) {
    this.registry = registry;
    const counter = (name: string, help: string): Tally => tallied({ name, help, registry });
    const by = (name: string, help: string, label: string): ((value: string) => Tally) =>
      talliedBy({ name, help, registry }, label);
    const histogram = (name: string, help: string, buckets: readonly number[]): HotHistogram =>
      new HotHistogram({ name, help, buckets }, registry);

    this.#opened = counter("pm_ws_connections_opened_total", "Connections accepted");
    this.#closed = by(
      "pm_ws_connections_closed_total",
      "Connections closed, by close code; a client's own codes are other",
      "code",
    );
    this.#handshakes = by("pm_ws_handshakes_total", "Handshakes by outcome", "outcome");
    this.#handshakeSeconds = histogram("pm_ws_handshake_seconds", "From the upgrade request to its answer", SECONDS);
    this.#messageSeconds = histogram(
      "pm_ws_message_seconds",
      "From the arrival of a command to its outcome, for one in 16",
      SECONDS,
    );
    const received = by("pm_ws_messages_received_total", "Client messages by kind", "kind");
    this.#received = Object.fromEntries(RECEIVED.map((kind) => [kind, received(kind)])) as Record<ReceivedKind, Tally>;
    this.#errors = by("pm_ws_errors_total", "Errors told to clients, by code", "code");
    this.#rateLimited = by("pm_ws_rate_limited_total", "Messages over a rate or quota, by whose", "scope");
    this.#published = by("pm_ws_publications_total", "Publications, by tenant (the first 20, then other)", "tenant");
    this.#fanOut = histogram("pm_ws_fan_out_subscribers", "Subscribers to whom a run was offered", FAN_OUT);
    this.#publishToSocket = histogram(
      "pm_ws_publish_to_socket_seconds",
      "From the append of a run's first publication to its last offer",
      SECONDS,
    );
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
    gauge("pm_ws_log_bytes", "Memory that logs and idempotency keys take", gauges.logBytes);
    gauge("pm_ws_queued_bytes", "Bytes that sockets have not taken", () => gauges.totals().queuedBytes);
    gauge("pm_ws_lagging_connections", "Connections that are behind", () => gauges.totals().lagging);
    gauge("pm_ws_subscriptions_active", "Subscriptions", () => gauges.totals().subscriptions);
    const counter = (name: string, help: string, read: (traffic: Traffic) => number): Counter =>
      new Counter({
        name,
        help,
        registers,
        collect() {
          this.reset();
          this.inc(read(gauges.totals()));
        },
      });
    counter("pm_ws_received_bytes_total", "Bytes of client messages", ({ bytesIn }) => bytesIn);
    counter("pm_ws_sent_bytes_total", "Bytes given to sockets", ({ bytesOut }) => bytesOut);
    gauge("pm_ws_drain_connections_left", "Connections that a drain has still to close", gauges.drainLeft);
    const tenantConnections = new Gauge({
      name: "pm_ws_tenant_connections",
      help: "Open connections by tenant (the 20 with the most, then other)",
      labelNames: ["tenant"],
      registers: [],
      collect() {
        this.reset();
        for (const [tenant, value] of topTenants(gauges.tenants(), TOP_TENANTS)) this.set({ tenant }, value);
      },
    });
    this.registry.registerMetric(tenantConnections);
    this.registry.registerMetric(this.#messagesSent(gauges));
  }

  handshake(outcome: HandshakeOutcome, seconds: number): void {
    this.#handshakes(outcome).inc();
    this.#handshakeSeconds.observe(seconds);
  }

  opened(): void {
    this.#opened.inc();
  }

  closed({ code, byClient }: { readonly code: number; readonly byClient: boolean }): void {
    this.#closed(byClient && !CLIENT_CLOSE_CODES.has(code) ? "other" : String(code)).inc();
  }

  received(kind: Exclude<ReceivedKind, "unknown"> | undefined): void {
    this.#received[kind ?? "unknown"].inc();
  }

  /** A message that is no publication was queued for a connection. */
  sent(kind: SentKind): void {
    this.#sent[kind]++;
  }

  /** A command has its outcome. */
  handled(seconds: number): void {
    this.#messageSeconds.observe(seconds);
  }

  error(code: string): void {
    this.#errors(Object.hasOwn(PUBLIC_ERRORS, code) ? code : "INTERNAL_ERROR").inc();
  }

  rateLimited(scope: "connection" | "tenant"): void {
    this.#rateLimited(scope).inc();
  }

  published(tenant: string): void {
    this.#published(this.#tenantLabels.of(tenant)).inc();
  }

  fannedOut(run: Run, offered: { readonly subscriptions: number; readonly nowMs: number }): void {
    this.#fanOut.observe(offered.subscriptions);
    this.#publishToSocket.observe(Math.max(0, offered.nowMs - (run.entries[0]?.publishedAtMs ?? offered.nowMs)) / 1000);
  }

  /** Publications are all that is left: they are not counted one by one. */
  #messagesSent(gauges: WsGauges): Counter {
    const sent = this.#sent;
    return new Counter({
      name: "pm_ws_messages_sent_total",
      help: "Server messages given to sockets, by kind",
      labelNames: ["kind"],
      registers: [],
      collect() {
        this.reset();
        let publications = gauges.totals().messagesOut;
        for (const kind of SENT) {
          this.inc({ kind }, sent[kind]);
          publications -= sent[kind];
        }
        this.inc({ kind: "publication" }, publications);
      },
    });
  }
}
