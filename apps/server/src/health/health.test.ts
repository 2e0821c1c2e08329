import type { ShutdownPhase } from "@pm/ws";
import { describe, expect, it } from "vitest";
import { Health } from "./health.ts";
import { graded, type HealthState } from "./subsystem.ts";

function healthOf(states: readonly HealthState[], phase: ShutdownPhase = "serving"): Health {
  const subsystems = states.map((state, index) => ({
    name: `part_${index}`,
    report: () => ({ state, numbers: { index } }),
  }));
  return new Health(subsystems, () => phase);
}

describe("Health", () => {
  it.each([
    [[], "ok"],
    [["off"], "ok"],
    [["off", "ok"], "ok"],
    [["ok", "degraded", "off"], "degraded"],
    [["failed", "degraded"], "failed"],
  ] as const)("given parts that are %j, when asked, then the whole is %s", (states, status) => {
    expect(healthOf(states).report().status).toBe(status);
  });

  it("given parts, when everybody asks, then there are states without numbers; when operators ask, both", () => {
    const health = healthOf(["ok", "degraded"]);
    expect(health.report()).toEqual({
      status: "degraded",
      phase: "serving",
      subsystems: { part_0: "ok", part_1: "degraded" },
    });
    expect(health.details()).toEqual({
      status: "degraded",
      phase: "serving",
      subsystems: {
        part_0: { state: "ok", numbers: { index: 0 } },
        part_1: { state: "degraded", numbers: { index: 1 } },
      },
    });
  });

  it.each([
    ["ok", "serving", true],
    ["degraded", "serving", true],
    ["failed", "serving", false],
    ["ok", "grace", false],
    ["ok", "closing", false],
  ] as const)("given a part that is %s while %s, when asked, then ready is %s", (state, phase, isReady) => {
    expect(healthOf([state], phase).isReady()).toBe(isReady);
  });
});

describe("graded", () => {
  it.each([
    [0, "ok"],
    [1, "degraded"],
    [1.9, "degraded"],
    [2, "failed"],
  ] as const)("given %d of 1 and 2, when graded, then it is %s", (value, state) => {
    expect(graded(value, { degraded: 1, failed: 2 })).toBe(state);
  });
});
