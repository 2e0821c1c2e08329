import type { JwtValidator } from "@pm/auth";
import { type Clock, type Logger, type Randomness, SystemRandomness, TurnClock } from "@pm/core";
import { TenantDirectory } from "@pm/db";
import { ChannelKinds, MemoryBroker, WsMetrics, WsServer } from "@pm/ws";
import { collectDefaultMetrics, Registry } from "prom-client";
import { addressResolver } from "./address-resolver.ts";
import type { Config } from "./config/config.ts";
import { createLimiters } from "./create-limiters.ts";
import { createValidator } from "./create-validator.ts";
import { withDemoKinds } from "./demo-routes.ts";
import { ServerHealth } from "./health/server-health.ts";
import { TenantAdmission } from "./tenants/tenant-admission.ts";

/** Everything the server is made of, put together once: the only place where concrete classes meet. */
export interface AppState {
  readonly config: Config;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly randomness: Randomness;
  readonly registry: Registry;
  readonly validator: JwtValidator;
  readonly ws: WsServer;
  /** Open from the start where tenants are validated, else from its first use. */
  readonly directory: TenantDirectory;
  /** Undefined: tenants are not validated. */
  readonly admission: TenantAdmission | undefined;
  readonly health: ServerHealth;
}

/** What comes from outside of the configuration. */
export interface AppPorts {
  readonly clock: Clock;
  readonly logger: Logger;
}

/** Puts the server together; nothing listens yet. */
export function createState(config: Config, ports: AppPorts): AppState {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry, prefix: "pm_" });
  const validator = createValidator(config, ports);
  const directory = new TenantDirectory({ dataDir: config.dataDir }, ports);
  const admission = config.tenantValidation === "directory" ? new TenantAdmission(directory, ports) : undefined;
  const ws = createWsServer(config, { ...ports, registry, validator, admission });
  admission?.watch({
    disconnect: (tenant, reason) => ws.disconnect(tenant, undefined, reason),
    forget: (tenant) => ws.forget(tenant),
    tenants: () => Array.from(ws.connections.tenants(), ([tenant]) => tenant),
  });
  const health = new ServerHealth({ ws, directory: admission === undefined ? undefined : directory }, ports);
  const randomness = new SystemRandomness();
  return { config, ...ports, randomness, registry, validator, ws, directory, admission, health };
}

function createWsServer(
  config: Config,
  parts: AppPorts & Pick<AppState, "registry" | "validator" | "admission">,
): WsServer {
  const { clock, logger, admission } = parts;
  const channelKinds = config.nodeEnv === "development" ? withDemoKinds(config.channelKinds) : config.channelKinds;
  const kinds = new ChannelKinds(channelKinds);
  const turnClock = new TurnClock(clock);
  const broker = new MemoryBroker({
    clock: turnClock,
    retentionOf: kinds.retentionOf,
    maxTenantBytes: config.tenantLogBytes,
    maxTotalBytes: config.totalLogBytes,
  });
  return new WsServer({
    authenticator: parts.validator,
    tenantGate: admission,
    maxConnectionsOf: admission === undefined ? undefined : (tenant) => admission.maxConnectionsOf(tenant),
    maxChannelsOf: admission === undefined ? undefined : (tenant) => admission.limitsOf(tenant)?.maxChannels,
    broker,
    channelKinds,
    ...createLimiters(config, admission, turnClock),
    maxMessageBytes: config.maxMessageBytes,
    maxSubscriptions: config.maxSubscriptions,
    maxQueuedReplyBytes: config.wsSendBufferSize,
    maxConnectionsPerTenant: config.maxConnectionsPerTenant,
    maxTotalConnections: config.maxTotalConnections,
    heartbeatIntervalSecs: config.heartbeatIntervalSecs,
    heartbeatTimeoutSecs: config.heartbeatTimeoutSecs,
    allowedOrigins: config.allowedOrigins,
    defaultGrants: config.defaultGrants,
    addressOf: addressResolver(config.trustedProxies),
    metrics: new WsMetrics(parts.registry),
    clock,
    logger,
  });
}
