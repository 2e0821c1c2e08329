import { codedErrorOf, type OpsFailure, opsFailureOf } from "./ops-error.ts";
import type { OpsPorts } from "./ops-ports.ts";

/** Operations that come as often as messages, of which nothing is logged above debug. */
const A_MESSAGE_EACH: ReadonlySet<string> = new Set(["Publish", "PublishBatch"]);

/** Logs what went wrong in an operation under a new id, and makes what the caller may see of it. */
export function reportFailure(
  error: unknown,
  operation: string,
  { clock, logger, randomness }: Pick<OpsPorts, "clock" | "logger" | "randomness">,
): OpsFailure {
  const coded = codedErrorOf(error);
  const failure = opsFailureOf(coded, randomness.uuid(clock.now()));
  const fields = { error_id: failure.errorId, operation, error: coded };
  if (failure.code === "INTERNAL_ERROR") logger.error("operation_failed", fields);
  else if (!A_MESSAGE_EACH.has(operation)) logger.info("operation_refused", fields);
  else if (logger.isDebugEnabled()) logger.debug("operation_refused", fields);
  return failure;
}
