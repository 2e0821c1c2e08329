import { describe, expect, it } from "vitest";
import type { BenchResults, ComparisonResults, Outcome } from "../bench/bench-results.ts";
import type { Measurement } from "../profile/measurement.ts";
import { ratioRow } from "./bench-rows.ts";
import { disturbances, faultsIn, hasFailures, missedTargets, summarize } from "./summary.ts";

const MACHINE = { cpu: "c", cores: 2, memoryGiB: 1, kernel: "k", node: "v", pinning: undefined, loadBefore: 0 };

function measured(cost: number, changes: Partial<Measurement> = {}): Outcome<Measurement> {
  const latency = { count: 1, p50Us: 10, p90Us: 10, p99Us: 20, p999Us: 20, maxUs: 20 };
  const value = {
    cost,
    perSec: 100,
    serverBusy: 1,
    serverWaited: 0,
    generatorBusy: 0.5,
    latency,
    faults: [],
    ...changes,
  };
  return { kind: "measured", value };
}

function comparison(rounds: ComparisonResults["rounds"], target = 1): ComparisonResults {
  return { name: "fan-out-1", title: "t", unit: "µs CPU a message", target, rounds };
}

function resultsOf(comparisons: ComparisonResults[], behaviours: BenchResults["behaviours"] = []): BenchResults {
  return { startedAt: "", size: "full", machine: MACHINE, comparisons, behaviours };
}

describe("summarize", () => {
  it("given rounds, when they are brought together, then the ratio is the median of those within a round", () => {
    const { servers, isMet } = summarize(
      comparison([
        { ws: measured(10), pm: measured(9), "socket.io": measured(20) },
        { ws: measured(100), pm: measured(80), "socket.io": measured(100) },
        { ws: measured(10), pm: measured(5), "socket.io": measured(30) },
      ]),
    );
    expect(servers.pm).toMatchObject({ cost: 9, ratio: 0.8, p99Us: 20 });
    expect(servers.pm.ratioSpread).toBeCloseTo(0.5);
    expect(servers["socket.io"].ratio).toBe(2);
    expect(isMet).toBe(true);
  });

  it("given rounds that failed, when they are brought together, then the others count, and none is a miss", () => {
    const failed: Outcome<Measurement> = { kind: "failed", reason: "gone" };
    const { servers } = summarize(
      comparison([
        { ws: failed, pm: measured(5) },
        { ws: measured(10), pm: measured(8) },
      ]),
    );
    expect(servers.pm.ratio).toBe(0.8);
    const none = summarize(comparison([{ ws: measured(10), pm: failed }]));
    expect([none.servers.pm.ratio, none.isMet]).toEqual([Number.NaN, false]);
  });

  it("given what makes a measurement doubtful, when it is summed up, then it is marked", () => {
    const bound = measured(1, { generatorBusy: 0.99, serverBusy: 0.5 });
    const disturbed = measured(1, { serverWaited: 0.3, serverBusy: 0.6 });
    const { servers } = summarize(
      comparison([{ ws: bound, pm: disturbed, "socket.io": measured(1, { faults: ["2 lost"] }) }]),
    );
    expect([servers.ws.marks, servers.pm.marks, servers["socket.io"].marks]).toEqual([
      ["generator-bound"],
      ["disturbed"],
      ["faulty"],
    ]);
    const both = measured(1, { generatorBusy: 0.99, serverBusy: 0.99, serverWaited: 0.3 });
    expect(summarize(comparison([{ pm: both }])).servers.pm.marks).toEqual([]);
  });
});

describe("the verdict on results", () => {
  const slow = { name: "slow", title: "", outcome: { kind: "failed", reason: "no" } } as const;
  const fair = {
    name: "fair",
    title: "",
    outcome: {
      kind: "measured",
      value: { figures: [{ label: "p99", value: 6, unit: "ms", target: 5 }], faults: ["1 lost"] },
    },
  } as const;

  it("given targets that are not met, when they are asked for, then comparisons and behaviours are named", () => {
    const results = resultsOf([comparison([{ ws: measured(1), pm: measured(2) }])], [fair]);
    expect(missedTargets(results)).toEqual(["fan-out-1", "fair"]);
    expect(missedTargets(resultsOf([comparison([{ ws: measured(1), pm: measured(2) }], 2)]))).toEqual([]);
  });

  it("given a comparison without a target, when missed targets are asked for, then it is not among them", () => {
    const open = { ...comparison([{ ws: measured(1), pm: measured(9) }]), target: undefined };
    expect(missedTargets(resultsOf([open]))).toEqual([]);
    expect(ratioRow(summarize(open)).slice(2, 4)).toEqual(["", ""]);
  });

  it("given disturbed measurements, when they are counted, then those that failed are not among them", () => {
    const rounds = [
      { ws: measured(1, { serverWaited: 0.5, serverBusy: 0.4 }), pm: measured(1) },
      { ws: measured(1), pm: slow.outcome },
    ];
    expect(disturbances(resultsOf([comparison(rounds)]))).toEqual({ disturbed: 1, all: 3 });
  });

  it("given faults and failures, when they are asked for, then each says where it was", () => {
    const rounds = [{ ws: measured(1, { faults: ["3 out of order"] }) }];
    const results = resultsOf([comparison(rounds)], [fair, slow]);
    expect(faultsIn(results)).toEqual(["fan-out-1, ws, round 1: 3 out of order", "fair: 1 lost", "slow: failed: no"]);
    expect(hasFailures(results)).toBe(true);
    expect(hasFailures(resultsOf([comparison(rounds)], [fair]))).toBe(false);
  });
});
