import { describe, expect, it } from "vitest";
import { expectPromiseKept } from "./support/expect-promise-kept.ts";
import { SimulatedServer } from "./support/simulated-server.ts";

describe("delivery, in a simulation", () => {
  it("given a subscriber, when publications are made, then it has them all", async () => {
    await using simulation = new SimulatedServer();
    const [reader, writer] = [simulation.client("t1", "r"), simulation.client("t1", "w", "json")];
    await Promise.all([reader.connect(), writer.connect()]);
    await reader.subscribe("room:1");
    for (let n = 1; n <= 100; n++) await writer.publish("room:1", `id-${n}`, { bytes: 1000 });
    await reader.reaches("room:1", 100);
    expectPromiseKept(simulation.checker);
  });

  it("given a reader that stalls, when it reads again, then it has all or is told", async () => {
    await using simulation = new SimulatedServer({ channelKinds: { defaults: { retainedCount: 20 } } });
    const [reader, writer] = [simulation.client("t1", "r"), simulation.client("t1", "w", "json")];
    await Promise.all([reader.connect(), writer.connect()]);
    await reader.subscribe("room:1");
    reader.stall();
    for (let n = 1; n <= 100; n++) await writer.publish("room:1", `id-${n}`, { bytes: 10_000 });
    expect(reader.cursor("room:1")?.offset).toBeLessThan(5);
    reader.resume();
    await reader.reaches("room:1", 100);
    expectPromiseKept(simulation.checker);
  });
});
