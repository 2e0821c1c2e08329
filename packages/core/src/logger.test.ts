import { describe, expect, it } from "vitest";
import { silentLogger } from "./logger.ts";
import { RecordingLogger } from "./testing/recording-logger.ts";

describe("silentLogger", () => {
  it("given any line, when it is logged, then debug is off and nothing is returned", () => {
    expect(silentLogger.isDebugEnabled()).toBe(false);
    for (const level of ["debug", "info", "warn", "error"] as const) {
      expect(silentLogger[level]("event", { key: 1 })).toBeUndefined();
    }
  });
});

describe("RecordingLogger", () => {
  it("given lines of every level, when they are logged, then they are kept in order with their fields", () => {
    const logger = new RecordingLogger();
    logger.debug("a", { n: 1 });
    logger.info("b");
    logger.warn("c", { n: 3 });
    logger.error("d");
    expect(logger.isDebugEnabled()).toBe(true);
    expect(logger.lines).toEqual([
      { level: "debug", event: "a", fields: { n: 1 } },
      { level: "info", event: "b", fields: {} },
      { level: "warn", event: "c", fields: { n: 3 } },
      { level: "error", event: "d", fields: {} },
    ]);
  });
});
