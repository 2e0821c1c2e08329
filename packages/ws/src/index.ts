// For applications.
export { attach, takeUpgrades } from "./attach.ts";
export type { PublishRequest, PublishTarget, WsServerOptions } from "./ws-server.ts";
export { WsServer } from "./ws-server.ts";
export type { ResolvedWsOptions, WsOptions } from "./ws-options.ts";
export { resolveWsOptions } from "./ws-options.ts";
export type {
  ChannelKind,
  ChannelKindOptions,
  ChannelKindsOptions,
  ClientPublish,
  LagPolicy,
} from "./channel-kinds.ts";
export { ChannelKinds } from "./channel-kinds.ts";
export type { DefaultGrants } from "./channel-policy.ts";
export type { WsErrorCode } from "./ws-error.ts";
export { WsError } from "./ws-error.ts";
export type { DrainTimes, ShutdownPhase } from "./shutdown/shutdown-coordinator.ts";
export type { MemoryBrokerOptions } from "./log/memory-broker.ts";
export { MemoryBroker } from "./log/memory-broker.ts";
export { WsMetrics } from "./metrics/ws-metrics.ts";
export type { WebSocketConnection } from "./connection/websocket-connection.ts";
export type { ConnectionFilter } from "./connection/connection-registry.ts";

// For authors of adapters.
export type { Authenticator, TenantGate } from "./authenticator.ts";
export type { KeyedLimiter, RateLimiter, RateLimiterSource } from "./rate-limiter.ts";
export type {
  AppendResult,
  Awaitable,
  Broker,
  BrokerListener,
  LogEntry,
  LogPage,
  PublicationDraft,
  PublicationPayload,
  ReadRequest,
} from "./log/broker.ts";
export { IDEMPOTENCY_WINDOW_MS } from "./log/broker.ts";
export type { Retention } from "./log/channel-log.ts";
export { ChannelLog } from "./log/channel-log.ts";
export type { Continuity, LogExtent, LogMark, StreamPosition } from "./log/stream-position.ts";
export { judge } from "./log/stream-position.ts";
export { judgeForward } from "./log/log-cursor.ts";
export type { PublicationFields } from "./wire/publication-encoder.ts";
export { encodePublication } from "./wire/publication-encoder.ts";
export type { TenantBroadcasterLimits, TenantBroadcasterPorts } from "./fanout/tenant-broadcaster.ts";
export { TenantBroadcaster } from "./fanout/tenant-broadcaster.ts";
export { TurnScheduler } from "./fanout/turn-scheduler.ts";
export { ClientSubscriptions } from "./connection/client-subscriptions.ts";
export { ConnectionRegistry } from "./connection/connection-registry.ts";
export type { Drainable, ShutdownGuard } from "./shutdown/shutdown-coordinator.ts";
export { ShutdownCoordinator } from "./shutdown/shutdown-coordinator.ts";
