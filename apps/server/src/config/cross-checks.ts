import type { SettingValues } from "./config.ts";
import { addressesCollide, formatListenAddress, isLoopback } from "./listen-address.ts";

/** What a limiter can count to: requests times seconds. */
const MAX_REQUEST_SECS = 4e9;

/** What settings that are right by themselves say against each other. Those that are missing are not compared. */
export function crossProblems(values: Partial<SettingValues>): string[] {
  return [...listenerProblems(values), ...rateProblems(values), ...drainProblems(values), ...logProblems(values)];
}

function listenerProblems({ bindAddr, opsBindAddr, ...others }: Partial<SettingValues>): string[] {
  const problems: string[] = [];
  if (bindAddr !== undefined && opsBindAddr !== undefined && addressesCollide(bindAddr, opsBindAddr)) {
    problems.push(
      `OPS_BIND_ADDR: is ${formatListenAddress(opsBindAddr)}, expected another port than that of BIND_ADDR (${formatListenAddress(bindAddr)})`,
    );
  }
  if (opsBindAddr !== undefined && !isLoopback(opsBindAddr) && "opsKey" in others && others.opsKey === undefined) {
    problems.push(
      `OPS_KEY: is absent, expected a key, since OPS_BIND_ADDR (${formatListenAddress(opsBindAddr)}) is not a loopback address`,
    );
  }
  return problems;
}

function rateProblems({ rateLimitRequests: requests, rateLimitWindowSecs: secs }: Partial<SettingValues>): string[] {
  if (requests === undefined || secs === undefined || requests * secs <= MAX_REQUEST_SECS) return [];
  const most = Math.floor((MAX_REQUEST_SECS * 1000) / requests) / 1000;
  return [`RATE_LIMIT_WINDOW_SECS: is ${secs}, expected at most ${most} where RATE_LIMIT_REQUESTS is ${requests}`];
}

function drainProblems({ drainGraceSecs, drainWindowSecs, drainDeadlineSecs }: Partial<SettingValues>): string[] {
  const parts = { DRAIN_GRACE_SECS: drainGraceSecs, DRAIN_WINDOW_SECS: drainWindowSecs };
  return Object.entries(parts)
    .filter(([, secs]) => isAbove(secs, drainDeadlineSecs))
    .map(([name, secs]) => `${name}: is ${secs}, expected at most DRAIN_DEADLINE_SECS (${drainDeadlineSecs})`);
}

function logProblems({ tenantLogBytes, totalLogBytes }: Partial<SettingValues>): string[] {
  if (!isAbove(tenantLogBytes, totalLogBytes)) return [];
  return [`TENANT_LOG_BYTES: is ${tenantLogBytes}, expected at most TOTAL_LOG_BYTES (${totalLogBytes})`];
}

/** What is allowed, but hardly meant. */
export function crossWarnings(values: SettingValues): string[] {
  const warnings: string[] = [];
  const { maxConnectionsPerTenant: ofTenant, maxTotalConnections: total } = values;
  if (ofTenant > total) {
    warnings.push(
      `MAX_CONNECTIONS_PER_TENANT: is ${ofTenant}, above MAX_TOTAL_CONNECTIONS (${total}): one tenant can take all`,
    );
  }
  const drain = values.drainGraceSecs + values.drainWindowSecs;
  if (drain > values.drainDeadlineSecs) {
    warnings.push(
      `DRAIN_DEADLINE_SECS: is ${values.drainDeadlineSecs}, below DRAIN_GRACE_SECS and DRAIN_WINDOW_SECS together (${drain}): the last closes come at once`,
    );
  }
  const { heartbeatIntervalSecs: interval, heartbeatTimeoutSecs: timeout } = values;
  if (timeout > interval) {
    warnings.push(
      `HEARTBEAT_TIMEOUT_SECS: is ${timeout}, above HEARTBEAT_INTERVAL_SECS (${interval}): a dead peer stays for several pings`,
    );
  }
  return warnings;
}

function isAbove(value: number | undefined, limit: number | undefined): boolean {
  return value !== undefined && limit !== undefined && value > limit;
}
