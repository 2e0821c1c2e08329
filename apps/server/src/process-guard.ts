import type { Logger } from "@pm/core";
import type { PmServer } from "./server.ts";

/** Time for the log to be written before the process ends for an error, in milliseconds. */
const LAST_WORDS_MS = 1_000;

/**
 * Ends the process in order: drains on SIGTERM and SIGINT and exits 0, exits 1 at once on a second signal. An error that
 * nobody caught is logged and ends the process with 1, after the connections were told to come back.
 */
export function guardProcess(server: PmServer, logger: Logger): void {
  let isEnding = false;
  const onSignal = (signal: NodeJS.Signals): void => {
    if (isEnding) {
      logger.warn("second_signal", { signal });
      process.exit(1);
    }
    isEnding = true;
    logger.info("signal_received", { signal });
    server.drain().then(
      () => process.exit(0),
      (error: unknown) => {
        logger.error("drain_failed", { error });
        process.exit(1);
      },
    );
  };
  process.on("SIGTERM", onSignal);
  process.on("SIGINT", onSignal);
  const onFault = (event: string) => (error: unknown) => {
    logger.error(event, { error });
    setTimeout(() => process.exit(1), LAST_WORDS_MS);
    server.close().finally(() => process.exit(1));
  };
  process.on("uncaughtException", onFault("uncaught_exception"));
  process.on("unhandledRejection", onFault("unhandled_rejection"));
}
