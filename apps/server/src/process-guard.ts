import { performance } from "node:perf_hooks";
import type { Logger } from "@pm/core";
import type { PmServer } from "./server.ts";

/** What a guarded process does in the end. */
export interface GuardedProcess {
  readonly server: PmServer;
  readonly logger: Logger;
  /** Somebody sits in front of it, and is told that a second Ctrl-C ends it at once. */
  readonly isDevelopment: boolean;
}

/** After a fault the clients are told to come back, in little time: nobody knows what still works. */
const FAULT_DRAIN = { graceSecs: 0, windowSecs: 1, deadlineSecs: 2 };
const CTRL_C_HINT = "\n  Clients are let go one by one. Ctrl-C again ends it at once.\n\n";
/** When even that hangs, the process ends all the same. */
const FAULT_DEADLINE_MS = 4_000;

/**
 * Ends the process in order. SIGTERM, SIGINT and SIGHUP: it drains and exits 0, and exits 1 at once on a second signal.
 * An error that nobody caught, or a rejection that nobody handled, is logged with all that is known; the connections
 * are told to come back, and it exits 1. A second fault on the way exits 1 at once.
 */
export function guardProcess({ server, logger, isDevelopment }: GuardedProcess): void {
  let ending: "no" | "signal" | "fault" = "no";
  const onSignal = (signal: NodeJS.Signals): void => {
    logger.info("signal_received", { signal });
    if (ending !== "no") process.exit(1);
    ending = "signal";
    if (isDevelopment && signal === "SIGINT" && server.connections > 0) process.stderr.write(CTRL_C_HINT);
    server.drain().then(
      () => exit(0),
      (error: unknown) => {
        logger.error("drain_failed", { error });
        exit(1);
      },
    );
  };

  const onFault = (event: string, error: unknown): void => {
    logger.error(event, { error, ...circumstances() });
    if (ending === "fault") process.exit(1);
    ending = "fault";
    setTimeout(() => process.exit(1), FAULT_DEADLINE_MS);
    server.drainWithin(FAULT_DRAIN).then(
      () => exit(1),
      () => exit(1),
    );
  };

  process.on("SIGTERM", onSignal);
  process.on("SIGINT", onSignal);
  // Sent when a terminal is closed, and by those who expect a configuration to be read again: none is.
  process.on("SIGHUP", onSignal);
  process.on("uncaughtException", (error) => onFault("uncaught_exception", error));
  process.on("unhandledRejection", (reason) => onFault("unhandled_rejection", reason));
}

/** Exits when what was logged in this turn is written. */
function exit(code: number): void {
  setImmediate(() => process.exit(code));
}

/** What was going on: how much the process held, and for how long it had run. */
function circumstances(): Readonly<Record<string, unknown>> {
  const { rss, heapUsed } = process.memoryUsage();
  return {
    pid: process.pid,
    node: process.version,
    uptime_secs: Math.round(performance.now() / 1000),
    resident_bytes: rss,
    heap_used_bytes: heapUsed,
    active_resources: countsOf(process.getActiveResourcesInfo()),
  };
}

function countsOf(names: readonly string[]): Readonly<Record<string, number>> {
  const counts: Record<string, number> = {};
  for (const name of names) counts[name] = (counts[name] ?? 0) + 1;
  return counts;
}
