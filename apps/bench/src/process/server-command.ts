import { fileURLToPath } from "node:url";
import type { ServerKind } from "../dialect/dialect.ts";

/** How a server is started. */
export interface ServerCommand {
  /** The file that node runs, and what follows it. */
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
}

/** What a server is told. */
export interface ServerSettings {
  readonly port: number;
  /** Where metrics are served, by a server that has any. */
  readonly metricsPort: number;
  /** Secret of the tokens, for a server that verifies them. */
  readonly secret: string;
  /** Folder that it may write to. */
  readonly dataDir: string;
  /** Settings of pm beside those of every run; other servers have none. */
  readonly pmEnv?: Readonly<Record<string, string>> | undefined;
}

/** The command of each server. Nothing of this process's own environment reaches it. */
export function serverCommand(kind: ServerKind, settings: ServerSettings): ServerCommand {
  switch (kind) {
    case "ws":
      return { args: [own("plain-ws.js"), String(settings.port)], env: { NODE_ENV: "production" } };
    case "socket.io":
      return { args: [own("socket-io.js"), String(settings.port)], env: { NODE_ENV: "production" } };
    case "pm":
      return { args: [fileURLToPath(import.meta.resolve("@pm/server/dist/main.js"))], env: pmEnvironment(settings) };
    default:
      return kind satisfies never;
  }
}

/** Loaded before a server whose memory is measured. */
export function collectOnSignal(): string {
  return new URL("../servers/collect-on-signal.js", import.meta.url).href;
}

/**
 * The server as it is deployed. Limits and quotas are in force and checked for every message; they are only set higher
 * than what the generator asks for.
 */
function pmEnvironment({ port, metricsPort, secret, dataDir, pmEnv }: ServerSettings): Record<string, string> {
  return {
    NODE_ENV: "production",
    BIND_ADDR: `127.0.0.1:${port}`,
    OPS_BIND_ADDR: `127.0.0.1:${metricsPort}`,
    DATA_DIR: dataDir,
    JWT_SECRET: secret,
    LOG_LEVEL: "warn",
    LOG_COLORED: "false",
    MAX_CONNECTIONS_PER_TENANT: "15000",
    MAX_TOTAL_CONNECTIONS: "15000",
    RATE_LIMIT_REQUESTS: "1000000",
    RATE_LIMIT_WINDOW_SECS: "1",
    TENANT_PUBLICATIONS_PER_SEC: "1000000000",
    TENANT_BYTES_PER_SEC: "1024GiB",
    ...pmEnv,
  };
}

function own(file: string): string {
  return fileURLToPath(new URL(`../servers/${file}`, import.meta.url));
}
