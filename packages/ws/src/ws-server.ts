import {
  type ChannelRef,
  type Clock,
  type CodedError,
  type Logger,
  parseChannelName,
  parseTenantId,
  type Randomness,
  silentLogger,
  StringCache,
  systemClock,
  SystemRandomness,
  TENANT_CHANNEL,
  type TenantId,
  TurnClock,
  USER_CHANNEL,
} from "@pm/core";
import { type ClientError, CloseCode, toClientError } from "@pm/proto";
import type { IncomingMessage } from "node:http";
import type { Duplex } from "node:stream";
import type { Authenticator, TenantGate } from "./authenticator.ts";
import { ChannelKinds, type ChannelKindsOptions } from "./channel-kinds.ts";
import { ChannelPolicy } from "./channel-policy.ts";
import { receiveFrame } from "./connection/receive-frame.ts";
import { openConnection } from "./connection/open-connection.ts";
import { type ConnectionFilter, ConnectionRegistry } from "./connection/connection-registry.ts";
import type { ConnectionHost, ErrorScope } from "./connection/connection-ports.ts";
import { ConnectionSweep } from "./connection/connection-sweep.ts";
import type { WebSocketConnection } from "./connection/websocket-connection.ts";
import { TenantBroadcaster } from "./fanout/tenant-broadcaster.ts";
import { TurnScheduler } from "./fanout/turn-scheduler.ts";
import { UpgradeHandler, type UpgradePorts } from "./handler/upgrade-handler.ts";
import type { AppendResult, Broker, PublicationPayload } from "./log/broker.ts";
import { MemoryBroker } from "./log/memory-broker.ts";
import { type ConnectionTotals, type Traffic, WsMetrics } from "./metrics/ws-metrics.ts";
import type { KeyedLimiter, RateLimiterSource } from "./rate-limiter.ts";
import { WsError } from "./ws-error.ts";
import { type DrainTimes, ShutdownCoordinator } from "./shutdown/shutdown-coordinator.ts";
import { type ResolvedWsOptions, resolveWsOptions, type WsOptions } from "./ws-options.ts";

/** What a refresh is refused with; the log always says why, as for a handshake. */
const TOKEN_REFUSALS: ReadonlySet<string> = new Set(["INVALID_TOKEN", "TOKEN_EXPIRED"]);

/** What a WsServer is made of. Only the authenticator has no default. */
export interface WsServerOptions extends WsOptions {
  readonly authenticator: Authenticator;
  /** @default none: every tenant of a valid token may connect */
  readonly tenantGate?: TenantGate | undefined;
  /**
   * Closed by whoever made it, when the server is closed. @default a MemoryBroker with the retention of `channelKinds`
   */
  readonly broker?: Broker | undefined;
  readonly channelKinds?: ChannelKindsOptions | undefined;
  /** Limits the messages of each connection. @default none */
  readonly messageLimiters?: RateLimiterSource | undefined;
  /** Limits Subscribe and Unsubscribe of each connection. @default none */
  readonly subscribeLimiters?: RateLimiterSource | undefined;
  /** Limits the publications of each tenant. @default none */
  readonly tenantPublications?: KeyedLimiter | undefined;
  /** Limits the published bytes of each tenant. @default none */
  readonly tenantBytes?: KeyedLimiter | undefined;
  /** The connection limit of a tenant that has one of its own. @default `maxConnectionsPerTenant` for all */
  readonly maxConnectionsOf?: ((tenant: TenantId) => number | undefined) | undefined;
  /** The channel limit of a tenant that has one of its own. @default `maxChannelsPerTenant` for all */
  readonly maxChannelsOf?: ((tenant: TenantId) => number | undefined) | undefined;
  /** @default the address of the socket */
  readonly addressOf?: ((request: IncomingMessage) => string) | undefined;
  readonly metrics?: WsMetrics | undefined;
  readonly clock?: Clock | undefined;
  readonly logger?: Logger | undefined;
  readonly randomness?: Randomness | undefined;
}

/** Whom a publication of a backend is for: a channel, all devices of a user, or everybody of a tenant. */
export type PublishTarget =
  | { readonly tenant: TenantId; readonly channel: string }
  | { readonly tenant: TenantId; readonly user: string }
  | { readonly tenant: TenantId };

/** A publication of a backend. */
export interface PublishRequest {
  /** Bytes, or JSON text. */
  readonly payload?: Uint8Array | string | undefined;
  readonly event?: string | undefined;
  /** Repeated publishes to one channel with the same key are one publication, for 5 minutes. */
  readonly idempotencyKey?: string | undefined;
  readonly traceParent?: string | undefined;
}

/** Connections and channels of one process: everything that `attach` puts behind an http.Server. */
export class WsServer {
  readonly options: ResolvedWsOptions;
  readonly metrics: WsMetrics;
  readonly broker: Broker;
  readonly broadcaster: TenantBroadcaster;
  readonly connections: ConnectionRegistry<WebSocketConnection>;
  readonly shutdown: ShutdownCoordinator;
  readonly #upgrades: UpgradeHandler;
  readonly #sweep: ConnectionSweep;
  readonly #logger: Logger;
  readonly #clock: Clock;
  readonly #randomness: Randomness;
  /** What went over connections that have ended. */
  readonly #ended = { bytesIn: 0, messagesOut: 0, bytesOut: 0 };
  readonly #ownBroker: Broker | undefined;
  #isClosed = false;
  #collected: ConnectionTotals | undefined;

  /** @throws RangeError for an option out of its range */
  constructor(options: WsServerOptions) {
    this.options = resolveWsOptions(options);
    this.#clock = options.clock ?? systemClock;
    this.#logger = options.logger ?? silentLogger;
    this.#randomness = options.randomness ?? new SystemRandomness();
    this.metrics = options.metrics ?? new WsMetrics();
    const kinds = new ChannelKinds(options.channelKinds);
    const turnClock = new TurnClock(this.#clock);
    this.broker = options.broker ?? new MemoryBroker({ clock: turnClock, retentionOf: kinds.retentionOf });
    this.#ownBroker = options.broker === undefined ? this.broker : undefined;
    const scheduler = new TurnScheduler();
    this.broadcaster = new TenantBroadcaster(
      {
        broker: this.broker,
        scheduler,
        kinds,
        clock: this.#clock,
        logger: this.#logger,
        onFannedOut: (run, subscriptions) => this.metrics.fannedOut(run, { subscriptions, nowMs: turnClock.now() }),
      },
      {
        maxPendingBytes: this.options.maxPendingBytesPerTenant,
        maxChannelsOf: (tenant) => options.maxChannelsOf?.(tenant) ?? this.options.maxChannelsPerTenant,
      },
    );
    const { maxConnectionsPerTenant, maxTotalConnections } = this.options;
    this.connections = new ConnectionRegistry({
      maxTotal: maxTotalConnections,
      maxOfTenant: (tenant) => options.maxConnectionsOf?.(tenant) ?? maxConnectionsPerTenant,
    });
    this.shutdown = new ShutdownCoordinator(this.#clock);
    this.#sweep = new ConnectionSweep({
      connections: { [Symbol.iterator]: () => this.connections.find() },
      options: this.options,
      clock: this.#clock,
    });
    this.#upgrades = new UpgradeHandler(this.#portsOf(options, { scheduler, kinds }));
    this.#observe();
  }

  /** True when the upgrade request is for this server's path, and it has not been closed. */
  isMine(request: IncomingMessage): boolean {
    return !this.#isClosed && this.#upgrades.isMine(request);
  }

  /** Takes an upgrade request of an http.Server. */
  handleUpgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    this.#upgrades.handle(request, socket, head);
  }

  /**
   * Publishes for a backend: no grant is asked, no rate is limited. Where the tenant's fan-out is over its bound,
   * resolves when that is relieved.
   * @throws NameError `INVALID_NAME` for a tenant or channel outside the grammar; WsError `INVALID_MESSAGE`,
   * `RATE_LIMIT_EXCEEDED` when too many keys of the tenant are remembered, `UNAVAILABLE`
   */
  async publish(target: PublishTarget, request: PublishRequest): Promise<AppendResult> {
    const channel = channelOf(target);
    const appended = await this.broadcaster.publish(channel, {
      payload: payloadOf(request.payload),
      event: request.event ?? "",
      publisher: "",
      traceParent: request.traceParent ?? "",
      idempotencyKey: request.idempotencyKey ?? "",
    });
    if (!appended.duplicate) this.metrics.published(channel.tenant);
    await this.#relief(channel.tenant);
    return appended;
  }

  /**
   * Closes the connections of a tenant, or of one of its users, with 4503; returns how many were open.
   * @throws NameError `INVALID_NAME` for a tenant outside the grammar
   */
  disconnect(tenant: TenantId, user?: string, reason = "disconnected"): number {
    const filter = { tenant: parseTenantId(tenant), user };
    const found = [...this.connections.find(filter)].filter(({ closing }) => closing === undefined);
    for (const connection of found) connection.close({ code: CloseCode.FORBIDDEN, reason });
    return found.length;
  }

  /**
   * Forgets what was published in a tenant that is no more, so that the next one of that name does not read it. Its
   * connections are not closed.
   * @throws NameError `INVALID_NAME` for a tenant outside the grammar; WsError `UNAVAILABLE`
   */
  async forget(tenant: TenantId): Promise<void> {
    await this.broker.forget(parseTenantId(tenant));
  }

  /** Ends all connections in order; `onClosing` is called when the listener has to close. */
  async drain(times?: DrainTimes, onClosing?: () => void): Promise<void> {
    await this.shutdown.drain(times, onClosing);
    await this.close();
  }

  /** Ends everything now. */
  async close(): Promise<void> {
    this.#isClosed = true;
    for (const connection of this.connections.find()) connection.terminate();
    this.#sweep.close();
    this.#upgrades.close();
    this.broadcaster.close();
    await this.#ownBroker?.close();
  }

  async #relief(tenant: TenantId): Promise<void> {
    if (!this.broadcaster.isCongested(tenant)) return;
    await new Promise<void>((resolve) => this.broadcaster.whenRelieved(tenant, resolve));
  }

  #portsOf(
    options: WsServerOptions,
    parts: { readonly scheduler: TurnScheduler; readonly kinds: ChannelKinds },
  ): UpgradePorts {
    const host: ConnectionHost<WebSocketConnection> = {
      onOpened: (connection) => this.#open(connection),
      onFrame: (connection, data, isBinary) => receiveFrame(connection, { data, isBinary }, ports),
      onSession: (connection) => this.connections.claimSession(connection),
      onEnded: (connection) => this.#end(connection),
    };
    const ports: UpgradePorts = {
      options: this.options,
      broker: this.broker,
      broadcaster: this.broadcaster,
      scheduler: parts.scheduler,
      policy: new ChannelPolicy(parts.kinds, this.options.defaultGrants),
      authenticator: options.authenticator,
      tenantGate: options.tenantGate,
      messageLimiters: options.messageLimiters,
      subscribeLimiters: options.subscribeLimiters,
      tenantPublications: options.tenantPublications,
      tenantBytes: options.tenantBytes,
      channelNames: new StringCache(),
      metrics: this.metrics,
      clock: this.#clock,
      logger: this.#logger,
      randomness: this.#randomness,
      outboxLimits: {
        highWaterBytes: this.options.highWaterBytes,
        maxReplyBytes: this.options.maxQueuedReplyBytes,
        maxReplies: this.options.maxQueuedReplies,
      },
      registry: this.connections,
      addressOf: options.addressOf,
      isDraining: () => this.#isClosed || this.shutdown.phase === "closing" || this.shutdown.phase === "done",
      sweepTick: () => this.#sweep.tick,
      reportError: (error, scope) => this.#reportError(error, scope),
      onAccepted: (accepted) => openConnection(accepted, ports, host),
    };
    return ports;
  }

  #open(connection: WebSocketConnection): void {
    this.connections.add(connection);
    connection.guard = this.shutdown.guard(connection);
    this.metrics.opened();
  }

  #end(connection: WebSocketConnection): void {
    this.connections.remove(connection);
    addTraffic(this.#ended, connection);
    connection.guard?.release();
    const { closing, id, context, connectedAtMs } = connection;
    if (closing !== undefined) this.metrics.closed(closing);
    this.#logger.info("connection_closed", {
      connection_id: id,
      tenant_id: context.tenant,
      user_id: context.user,
      code: closing?.code,
      reason: closing?.reason,
      duration_ms: this.#clock.now() - connectedAtMs,
    });
  }

  #reportError(error: CodedError, { id, context }: ErrorScope): ClientError {
    const told = toClientError(error, this.#randomness.uuid(this.#clock.now()));
    this.metrics.error(told.code);
    const fields = {
      error_id: told.errorId,
      connection_id: id,
      tenant_id: context.tenant,
      user_id: context.user,
      error,
    };
    if (told.code === "INTERNAL_ERROR") this.#logger.error("command_failed", fields);
    else if (TOKEN_REFUSALS.has(told.code)) this.#logger.info("token_refused", fields);
    else if (this.#logger.isDebugEnabled()) this.#logger.debug("command_refused", fields);
    return told;
  }

  #observe(): void {
    this.metrics.observe({
      connections: () => this.connections.size,
      tenants: () => this.connections.tenants(),
      channels: () => this.broadcaster.channelCount,
      pendingBytes: () => this.broadcaster.pendingBytes,
      logBytes: () => this.broker.memoryBytes,
      totals: () => this.#totals(),
      drainLeft: () => this.shutdown.left,
    });
  }

  /** Made once for all metrics of a collection, which are read in one go. */
  #totals(): ConnectionTotals {
    if (this.#collected === undefined) {
      this.#collected = this.#sumUp();
      queueMicrotask(() => {
        this.#collected = undefined;
      });
    }
    return this.#collected;
  }

  #sumUp(): ConnectionTotals {
    const totals = { ...this.#ended, queuedBytes: 0, lagging: 0, subscriptions: 0 };
    for (const connection of this.connections.find()) {
      addTraffic(totals, connection);
      totals.queuedBytes += connection.outbox.queuedBytes;
      if (connection.outbox.isBehind) totals.lagging++;
      totals.subscriptions += connection.subscriptions.size;
    }
    return totals;
  }
}

function addTraffic(
  sum: { -readonly [Count in keyof Traffic]: number },
  { bytesIn, outbox }: WebSocketConnection,
): void {
  sum.bytesIn += bytesIn;
  sum.messagesOut += outbox.messagesOut;
  sum.bytesOut += outbox.bytesOut;
}

/** Which connections an operator asks for. */
export type { ConnectionFilter };

function channelOf(target: PublishTarget): ChannelRef {
  const tenant = parseTenantId(target.tenant);
  if ("channel" in target) return { tenant, name: parseChannelName(target.channel) };
  if (!("user" in target)) return { tenant, name: TENANT_CHANNEL };
  // Whoever has no user at hand must not reach nobody, or everybody.
  if (typeof target.user !== "string" || target.user === "") throw WsError.invalidMessage("user", "is absent");
  return { tenant, name: USER_CHANNEL, user: target.user };
}

function payloadOf(payload: Uint8Array | string | undefined): PublicationPayload | undefined {
  if (payload === undefined) return undefined;
  if (typeof payload === "string") {
    if (!payload.isWellFormed()) throw WsError.invalidMessage("payload", "has a lone surrogate");
    return { kind: "json", json: payload };
  }
  return { kind: "data", data: payload };
}
