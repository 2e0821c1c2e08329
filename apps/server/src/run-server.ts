import "./inlining.ts";
import "./young-generation.ts";
import { CodedError, systemClock } from "@pm/core";
import { ConfigError } from "./config/config-error.ts";
import { formatListenAddress } from "./config/listen-address.ts";
import { readConfig } from "./config/read-config.ts";
import { makeDevelopmentBanner } from "./development-banner.ts";
import { WinstonLogger } from "./logging/winston-logger.ts";
import { guardProcess } from "./process-guard.ts";
import { PmServer } from "./server.ts";
import { createState } from "./state.ts";

/** The server as a process: reads the environment, starts, and ends on a signal. Exits 1 where it cannot start. */
export async function runServer(): Promise<void> {
  try {
    await start();
  } catch (error) {
    for (const line of linesOf(error)) process.stderr.write(`pm: ${line}\n`);
    process.exit(1);
  }
}

async function start(): Promise<void> {
  const config = readConfig(process.env);
  const logger = new WinstonLogger({ level: config.logLevel, colored: config.logColored });
  for (const warning of config.warnings) logger.warn("config_warning", { warning });
  const state = createState(config, { clock: systemClock, logger });
  const server = new PmServer(state);
  guardProcess({ server, logger, isDevelopment: config.nodeEnv === "development" });
  await server.start();
  const { address, opsAddress } = server;
  logger.info("server_started", {
    ...address,
    ops_host: opsAddress.host,
    ops_port: opsAddress.port,
    pid: process.pid,
    node: process.version,
  });
  if (config.nodeEnv !== "development") return;
  const url = `ws://${formatListenAddress(address)}/ws`;
  const opsUrl = `http://${formatListenAddress(opsAddress)}`;
  // It shows tokens, which are not for the log.
  process.stderr.write(await makeDevelopmentBanner(config, { url, opsUrl }));
}

/** What is known to go wrong is told in a line; anything else with all that is known. */
function linesOf(error: unknown): readonly string[] {
  if (error instanceof ConfigError) return error.problems;
  if (error instanceof CodedError) return [error.message];
  return [error instanceof Error ? (error.stack ?? error.message) : String(error)];
}
