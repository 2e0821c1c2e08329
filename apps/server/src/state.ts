import type { Clock, Logger } from "@pm/core";
import { JwtValidator, type JwtValidatorOptions, KeyedRateLimiter, RateLimiterFactory } from "@pm/auth";
import { MemoryBroker, ChannelKinds, WsMetrics, WsServer } from "@pm/ws";
import { Registry } from "prom-client";
import { addressResolver } from "./address-resolver.ts";
import type { Config } from "./config/config.ts";

/** Everything the server is made of, put together once: the only place where concrete classes meet. */
export interface AppState {
  readonly config: Config;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly registry: Registry;
  readonly validator: JwtValidator;
  readonly ws: WsServer;
}

/** What comes from outside of the configuration. */
export interface AppPorts {
  readonly clock: Clock;
  readonly logger: Logger;
}

/** Subscribes and Unsubscribes a second, after a burst of twice the subscriptions. */
const SUBSCRIBES_PER_SEC = 20;

/** Puts the server together; nothing listens yet. */
export function createState(config: Config, ports: AppPorts): AppState {
  const { clock, logger } = ports;
  const registry = new Registry();
  const validator = createValidator(config, ports);
  const kinds = new ChannelKinds(config.channelKinds);
  const broker = new MemoryBroker({
    clock,
    retentionOf: kinds.retentionOf,
    maxTenantBytes: config.tenantLogBytes,
    maxTotalBytes: config.totalLogBytes,
  });
  const ws = new WsServer({
    authenticator: validator,
    broker,
    channelKinds: config.channelKinds,
    ...limitersOf(config, clock),
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
    metrics: new WsMetrics(registry),
    clock,
    logger,
  });
  return { config, clock, logger, registry, validator, ws };
}

function limitersOf(
  config: Config,
  clock: Clock,
): Pick<
  ConstructorParameters<typeof WsServer>[0],
  "messageLimiters" | "subscribeLimiters" | "tenantPublications" | "tenantBytes"
> {
  const burst = 2 * config.maxSubscriptions;
  return {
    messageLimiters: new RateLimiterFactory(
      { maxRequests: config.rateLimitRequests, windowSecs: config.rateLimitWindowSecs },
      clock,
    ),
    subscribeLimiters: new RateLimiterFactory(
      { maxRequests: burst, windowSecs: burst / SUBSCRIBES_PER_SEC },
      clock,
    ),
    tenantPublications: quota(config.tenantPublicationsPerSec, 1, clock),
    tenantBytes: quota(config.tenantBytesPerSec, config.maxMessageBytes, clock),
  };
}

/** A quota a second for each tenant; `least` is what a single check may cost, which the burst must hold. */
function quota(perSec: number, least: number, clock: Clock): KeyedRateLimiter | undefined {
  if (perSec === 0) return undefined;
  const maxRequests = Math.max(perSec, least);
  return new KeyedRateLimiter({ maxRequests, windowSecs: maxRequests / perSec, clock });
}

function createValidator(config: Config, { clock, logger }: AppPorts): JwtValidator {
  const options: JwtValidatorOptions = {
    issuer: config.jwtIssuer,
    audience: config.jwtAudience,
    clock,
    logger,
  };
  const { tokenKey } = config;
  switch (tokenKey.kind) {
    case "secret":
      return JwtValidator.withHs256(tokenKey.secret, options);
    case "publicKey":
      return JwtValidator.withRs256(tokenKey.pem, options);
    case "jwks":
      return JwtValidator.withJwks(tokenKey.url, options);
    default:
      return tokenKey satisfies never;
  }
}
