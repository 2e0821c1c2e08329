import type { Limits } from "@pm/proto";
import type { DefaultGrants } from "./channel-policy.ts";
import { IDEMPOTENCY_WINDOW_MS } from "./log/broker.ts";
import { MAX_HISTORY } from "./command/validate-command.ts";

/** Numbers of a WebSocket server of pm. */
export interface WsOptions {
  /**
   * Path of the handshake; upgrades of other paths are not touched.
   * @default "/ws"
   */
  readonly path?: string | undefined;
  /**
   * Bytes of one client message, and of the frame that carries it.
   * @default 65_536
   */
  readonly maxMessageBytes?: number | undefined;
  /**
   * Subscriptions of one connection; the tenant-wide channel is not counted.
   * @default 128
   */
  readonly maxSubscriptions?: number | undefined;
  /**
   * Bytes of replies that may wait for one connection before it is closed with 4008.
   * @default 1_048_576
   */
  readonly maxQueuedReplyBytes?: number | undefined;
  /**
   * Replies that may wait for one connection before it is closed with 4008.
   * @default 8192
   */
  readonly maxQueuedReplies?: number | undefined;
  /**
   * Bytes in a socket above which its connection is behind, and reads the log when it has caught up. At least 65_536,
   * the high-water mark of Node's sockets, below which they do not tell when they have drained; that of an
   * `http.Server` with a larger one counts instead.
   * @default 65_536
   */
  readonly highWaterBytes?: number | undefined;
  /**
   * Bytes a second below which a connection that is behind counts as stalled, for 15 s.
   * @default 1024
   */
  readonly minDrainBytesPerSec?: number | undefined;
  /**
   * Commands of one connection whose outcome may be open; above it, its socket is not read.
   * @default 512
   */
  readonly maxInFlight?: number | undefined;
  /**
   * Bytes of one tenant's publications that may wait for their fan-out; above it, its publishers are not read.
   * @default 4_194_304
   */
  readonly maxPendingBytesPerTenant?: number | undefined;
  /**
   * Channels of one tenant that may have subscribers here.
   * @default 100_000
   */
  readonly maxChannelsPerTenant?: number | undefined;
  /** @default 1000 */
  readonly maxConnectionsPerTenant?: number | undefined;
  /** @default 10_000 */
  readonly maxTotalConnections?: number | undefined;
  /**
   * Handshakes that may be under way; the excess gets 503 with Retry-After.
   * @default 512
   */
  readonly maxHandshakes?: number | undefined;
  /**
   * Seconds that a handshake may take, from the upgrade request to its answer.
   * @default 5
   */
  readonly handshakeTimeoutSecs?: number | undefined;
  /** @default 25 */
  readonly heartbeatIntervalSecs?: number | undefined;
  /**
   * Seconds after a ping in which a sign of life must come; else 4009.
   * @default 10
   */
  readonly heartbeatTimeoutSecs?: number | undefined;
  /**
   * Seconds for which a half-sent message is waited for.
   * @default 30
   */
  readonly messageTimeoutSecs?: number | undefined;
  /**
   * Seconds after the expiry of its token in which a connection may still refresh it; then 4401.
   * @default 30
   */
  readonly expiryGraceSecs?: number | undefined;
  /**
   * Origins, scheme, host and port, from which browsers may connect.
   * @default the own host alone
   */
  readonly allowedOrigins?: readonly string[] | undefined;
  /**
   * What a token without a `channels` claim allows.
   * @default "allow"
   */
  readonly defaultGrants?: DefaultGrants | undefined;
  /**
   * Name of this process in Welcome.
   * @default "pm"
   */
  readonly nodeId?: string | undefined;
}

/** WsOptions with every value present and checked. */
export interface ResolvedWsOptions {
  readonly path: string;
  readonly maxMessageBytes: number;
  readonly maxSubscriptions: number;
  readonly maxQueuedReplyBytes: number;
  readonly maxQueuedReplies: number;
  readonly highWaterBytes: number;
  readonly minDrainBytesPerSec: number;
  readonly maxInFlight: number;
  readonly maxPendingBytesPerTenant: number;
  readonly maxChannelsPerTenant: number;
  readonly maxConnectionsPerTenant: number;
  readonly maxTotalConnections: number;
  readonly maxHandshakes: number;
  readonly handshakeTimeoutSecs: number;
  readonly heartbeatIntervalSecs: number;
  readonly heartbeatTimeoutSecs: number;
  readonly messageTimeoutSecs: number;
  readonly expiryGraceSecs: number;
  readonly allowedOrigins: ReadonlySet<string>;
  readonly defaultGrants: DefaultGrants;
  readonly nodeId: string;
  /** What each Welcome tells about limits. */
  readonly limits: Omit<Limits, "$typeName">;
}

const MAX_UINT32 = 0xffff_ffff;
const MAX_SECS = MAX_UINT32 / 1000;

/**
 * Fills in defaults and checks.
 * @throws RangeError that names the option, its value and what it may be
 */
export function resolveWsOptions(options: WsOptions = {}): ResolvedWsOptions {
  const number = (name: keyof WsOptions, fallback: number, least = 1): number => {
    const value = options[name] ?? fallback;
    if (typeof value === "number" && Number.isFinite(value) && value >= least) return value;
    throw new RangeError(`${name} is ${String(value)} (at least ${least})`);
  };
  /** What each Welcome tells has 32 bits there. */
  const whole = (name: keyof WsOptions, fallback: number, least: number): number => {
    const value = number(name, fallback, least);
    if (Number.isInteger(value) && value <= MAX_UINT32) return value;
    throw new RangeError(`${name} is ${value} (a whole number of at most ${MAX_UINT32})`);
  };
  const seconds = (name: keyof WsOptions, fallback: number): number => {
    const value = number(name, fallback);
    if (value <= MAX_SECS) return value;
    throw new RangeError(`${name} is ${value} (at most ${MAX_SECS})`);
  };
  const maxMessageBytes = whole("maxMessageBytes", 65_536, 1024);
  const maxSubscriptions = whole("maxSubscriptions", 128, 1);
  return {
    path: options.path ?? "/ws",
    maxMessageBytes,
    maxSubscriptions,
    maxQueuedReplyBytes: number("maxQueuedReplyBytes", 1_048_576, 1024),
    maxQueuedReplies: number("maxQueuedReplies", 8192, 16),
    highWaterBytes: number("highWaterBytes", 65_536, 65_536),
    minDrainBytesPerSec: number("minDrainBytesPerSec", 1024, 0),
    maxInFlight: number("maxInFlight", 512),
    maxPendingBytesPerTenant: number("maxPendingBytesPerTenant", 4_194_304, 1024),
    maxChannelsPerTenant: number("maxChannelsPerTenant", 100_000),
    maxConnectionsPerTenant: number("maxConnectionsPerTenant", 1000),
    maxTotalConnections: number("maxTotalConnections", 10_000),
    maxHandshakes: number("maxHandshakes", 512),
    handshakeTimeoutSecs: number("handshakeTimeoutSecs", 5, 0.01),
    heartbeatIntervalSecs: seconds("heartbeatIntervalSecs", 25),
    heartbeatTimeoutSecs: seconds("heartbeatTimeoutSecs", 10),
    messageTimeoutSecs: number("messageTimeoutSecs", 30, 1),
    expiryGraceSecs: number("expiryGraceSecs", 30, 0),
    allowedOrigins: new Set(options.allowedOrigins),
    defaultGrants: options.defaultGrants ?? "allow",
    nodeId: options.nodeId ?? "pm",
    limits: {
      maxMessageBytes,
      maxFrameBytes: maxMessageBytes,
      maxSubscriptions,
      maxHistory: MAX_HISTORY,
      idempotencyWindowMs: IDEMPOTENCY_WINDOW_MS,
    },
  };
}
