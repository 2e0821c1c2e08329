import { SystemRandomness } from "@pm/core";
import { ManualClock, RecordingLogger } from "@pm/core/testing";
import { describe, expect, it } from "vitest";
import { OpsInputError } from "./ops-error.ts";
import { reportFailure } from "./report-failure.ts";

const refused = OpsInputError.of("event", "is wrong");
const fault = new Error("inside");

describe("reportFailure", () => {
  it.each([
    ["a refused Disconnect", refused, "Disconnect", "info", "operation_refused"],
    ["a refused Publish", refused, "Publish", "debug", "operation_refused"],
    ["a refused PublishBatch", refused, "PublishBatch", "debug", "operation_refused"],
    ["a Publish that failed", fault, "Publish", "error", "operation_failed"],
  ] as const)(
    "given %s, when it is reported, then one line has its id and level",
    (_what, error, operation, level, event) => {
      const logger = new RecordingLogger();
      const { errorId } = reportFailure(error, operation, {
        clock: new ManualClock(),
        logger,
        randomness: new SystemRandomness(),
      });
      expect(logger.lines).toMatchObject([
        { level, event, fields: { error_id: errorId, operation, error: expect.any(Error) } },
      ]);
    },
  );
});
