import type { ChannelKindsSetting } from "./channel-kinds-setting.ts";
import type { ListenAddress } from "./listen-address.ts";
import type { TokenKey } from "./token-key.ts";

/** Where the process runs. */
export type NodeEnv = "development" | "production" | "test";

/** The settings one by one, each named as its environment variable in camel case; the table says what they mean. */
export interface SettingValues {
  readonly nodeEnv: NodeEnv | undefined;
  readonly bindAddr: ListenAddress;
  readonly opsBindAddr: ListenAddress;
  readonly opsKey: string | undefined;
  /** Absolute. */
  readonly dataDir: string;
  readonly jwtSecret: string | undefined;
  readonly jwtPublicKey: string | undefined;
  readonly jwksUrl: string | undefined;
  readonly jwtIssuer: string | undefined;
  readonly jwtAudience: string | undefined;
  readonly defaultGrants: "allow" | "deny";
  readonly maxConnectionsPerTenant: number;
  readonly maxTotalConnections: number;
  readonly rateLimitRequests: number;
  readonly rateLimitWindowSecs: number;
  /** 0: no limit. */
  readonly tenantPublicationsPerSec: number;
  /** 0: no limit. */
  readonly tenantBytesPerSec: number;
  readonly maxMessageBytes: number;
  readonly maxSubscriptions: number;
  readonly wsSendBufferSize: number;
  readonly broadcastCapacity: number;
  readonly broadcastRetentionBytes: number;
  readonly broadcastRetentionSecs: number;
  readonly tenantLogBytes: number;
  readonly totalLogBytes: number;
  readonly channelKinds: ChannelKindsSetting;
  readonly heartbeatIntervalSecs: number;
  readonly heartbeatTimeoutSecs: number;
  readonly drainGraceSecs: number;
  readonly drainWindowSecs: number;
  readonly drainDeadlineSecs: number;
  /** Empty: the same host. */
  readonly allowedOrigins: readonly string[];
  readonly corsOrigins: readonly string[];
  /** As `proxy-addr` takes them. */
  readonly trustedProxies: readonly string[];
  readonly tenantValidation: "off" | "directory";
  readonly logLevel: "error" | "warn" | "info" | "debug";
  readonly logColored: boolean | undefined;
}

/** The configuration of the server, resolved and checked as a whole. */
export interface Config extends Omit<SettingValues, "jwtSecret" | "jwtPublicKey" | "jwksUrl" | "logColored"> {
  readonly tokenKey: TokenKey;
  /** Below the number of file descriptors, whatever the setting says. */
  readonly maxTotalConnections: number;
  /** The defaults of every kind, with the retention of the `BROADCAST_…` settings filled in, and single kinds. */
  readonly channelKinds: ChannelKindsSetting;
  readonly logColored: boolean;
  /** What does not keep the server from starting, but should be known: one line each, no secrets. */
  readonly warnings: readonly string[];
}
