import type { Clock, CodedError, Logger, Randomness, StringCache, TenantContext } from "@pm/core";
import type { ClientError } from "@pm/proto";
import type { Authenticator } from "../authenticator.ts";
import type { ChannelPolicy } from "../channel-policy.ts";
import type { TenantBroadcaster } from "../fanout/tenant-broadcaster.ts";
import type { TurnScheduler } from "../fanout/turn-scheduler.ts";
import type { Broker } from "../log/broker.ts";
import type { WsMetrics } from "../metrics/ws-metrics.ts";
import type { KeyedLimiter, RateLimiterSource } from "../rate-limiter.ts";
import type { ResolvedWsOptions } from "../ws-options.ts";
import type { OutboxLimits } from "./outbox.ts";

/** Who an error happened to, for the log. */
export interface ErrorScope {
  readonly id: string;
  readonly context: TenantContext;
}

/** What all connections share. */
export interface ConnectionPorts {
  readonly options: ResolvedWsOptions;
  readonly broker: Broker;
  readonly broadcaster: TenantBroadcaster;
  readonly scheduler: TurnScheduler;
  readonly policy: ChannelPolicy;
  readonly authenticator: Authenticator;
  readonly messageLimiters: RateLimiterSource | undefined;
  readonly subscribeLimiters: RateLimiterSource | undefined;
  readonly tenantPublications: KeyedLimiter | undefined;
  readonly tenantBytes: KeyedLimiter | undefined;
  /** Of all tenants: they are strings and say nothing of who may use them. */
  readonly channelNames: StringCache;
  readonly metrics: WsMetrics;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly randomness: Randomness;
  readonly outboxLimits: OutboxLimits;
  /** The number of the sweep under way; a second each. */
  sweepTick(): number;
  /** Logs an error under a new id, and makes what the client may see. */
  reportError(error: CodedError, scope: ErrorScope): ClientError;
}

/** Whom a connection tells of what happens to it. */
export interface ConnectionHost<Connection> {
  onOpened(connection: Connection): void;
  /** A WebSocket message has come. */
  onFrame(connection: Connection, data: Buffer, isBinary: boolean): void;
  /** The connection has named its session. */
  onSession(connection: Connection): void;
  onEnded(connection: Connection): void;
}
