import { systemClock } from "@pm/core";
import { describe, expect, it } from "vitest";
import { MemoryBroker } from "../src/index.ts";
import { type BrokerFaults, HostileBroker, SeededRandom, Turmoil, type TurmoilOptions } from "../src/testing/index.ts";
import { expectPromiseKept } from "./support/expect-promise-kept.ts";
import { RealServer } from "./support/real-server.ts";

const KINDS = { kinds: { ticker: { lagPolicy: "latest" } } } as const;
const FAULTS: Partial<BrokerFaults> = {
  dropNotices: 0.05,
  duplicateNotices: 0.05,
  delayNotices: 0.2,
  delayReads: 0.2,
  delayAppends: 0.1,
  failReads: 0.005,
  failAppends: 0.01,
  maxDelayMs: 15,
};
const TURMOIL: Omit<TurmoilOptions, "makeClient" | "seed"> = {
  tenants: ["t1", "t2"],
  readersPerTenant: 6,
  channels: ["room:1", "room:2", "ticker:1"],
  publishPauseMs: 4,
  disturbPauseMs: 20,
  maxStallMs: 600,
  floodSize: 200,
};

function clientsOf(real: RealServer): TurmoilOptions["makeClient"] {
  return ({ tenant, user, encoding }) => real.client(tenant, user, encoding);
}

describe("delivery over real sockets", () => {
  it("given random cuts, stalls and floods, when all come to rest, then everybody has everything in order, or was told", async () => {
    await using real = await RealServer.start({ channelKinds: KINDS });
    const seed = Date.now() >>> 0;
    await using turmoil = new Turmoil({ ...TURMOIL, seed, makeClient: clientsOf(real) });
    await turmoil.start();
    await turmoil.rage(6000);
    // Whether a reader stalls while a flood is on is for the dice.
    for (let more = 0; more < 10 && !real.events.has("lagged"); more++) await turmoil.rage(1000);
    const isSettled = await turmoil.settle(10_000);
    expectPromiseKept(real.checker);
    expect({ seed, isSettled }).toEqual({ seed, isSettled: true });
    expect(real.events.get("lagged")).toBeGreaterThan(0);
    expect(turmoil.counts.cuts).toBeGreaterThan(50);
    expect(turmoil.counts.stalls).toBeGreaterThan(50);
    expect(turmoil.counts.floods).toBeGreaterThan(0);
    expect(turmoil.counts.acknowledged).toBeGreaterThan(500);
  }, 30_000);

  it("given a broker that is late, forgetful and away at times beside, when all come to rest, then the promise is kept", async () => {
    const seed = Date.now() >>> 0;
    const memory = new MemoryBroker();
    const broker = new HostileBroker({ broker: memory, clock: systemClock, random: new SeededRandom(seed) });
    await using real = await RealServer.start({ broker, channelKinds: KINDS });
    await using turmoil = new Turmoil({ ...TURMOIL, seed, makeClient: clientsOf(real) });
    await turmoil.start();
    broker.faults = { ...broker.faults, ...FAULTS };
    await turmoil.rage(3000);
    broker.calm();
    const isSettled = await turmoil.settle(15_000);
    expectPromiseKept(real.checker);
    expect({ seed, isSettled }).toEqual({ seed, isSettled: true });
  }, 40_000);
});
