import { systemClock } from "@pm/core";
import { ConfigError } from "./config/config-error.ts";
import { readConfig } from "./config/read-config.ts";
import { WinstonLogger } from "./logging/winston-logger.ts";
import { guardProcess } from "./process-guard.ts";
import { PmServer } from "./server.ts";
import { createState } from "./state.ts";

// The server as a process: reads the environment, starts, ends on SIGTERM or SIGINT.

async function main(): Promise<void> {
  const config = readConfig(process.env);
  const logger = new WinstonLogger({ level: config.logLevel, colored: config.logColored });
  for (const warning of config.warnings) logger.warn("config_warning", { warning });
  const state = createState(config, { clock: systemClock, logger });
  const server = new PmServer(state);
  guardProcess(server, logger);
  await server.start();
  const { host, port } = server.address;
  logger.info("server_started", { host, port, pid: process.pid, node: process.version });
}

main().catch((error: unknown) => {
  const lines = error instanceof ConfigError ? error.problems : [error instanceof Error ? error.message : String(error)];
  for (const line of lines) process.stderr.write(`pm: ${line}\n`);
  process.exit(1);
});
