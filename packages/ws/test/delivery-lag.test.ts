import { ManualClock } from "@pm/core/testing";
import { CloseCode } from "@pm/proto";
import { describe, expect, it } from "vitest";
import type { RecordingClient } from "../src/testing/index.ts";
import { expectPromiseKept } from "./support/expect-promise-kept.ts";
import { RealServer } from "./support/real-server.ts";

// More than the kernel keeps for a reader that does not read.
const FLOOD = 400;
const BYTES = 40_000;

async function flood(real: RealServer, reader: RecordingClient, prefix = "f"): Promise<void> {
  for (let n = 1; n <= FLOOD; n++) {
    await real.publish(reader.logOf("room:1"), `${prefix}${n}`, BYTES);
    if (n % 10 === 0) await new Promise((resolve) => setImmediate(resolve));
  }
}

function isBehind(real: RealServer): boolean {
  return [...real.server.connections.find()].some(({ outbox }) => outbox.isBehind);
}

describe("a reader that stops reading", () => {
  it("given the policy to recover, when it reads again, then it is told what retention took and has the rest", async () => {
    await using real = await RealServer.start();
    const reader = await real.connect("t1", "r");
    await reader.subscribe("room:1");
    reader.stall();
    await flood(real, reader);
    expect(isBehind(real)).toBe(true);
    reader.resume();
    await reader.reaches("room:1", FLOOD);
    expect(real.events.get("lagged")).toBeGreaterThan(0);
    expectPromiseKept(real.checker);
  });

  it("given enough retention, when it reads again, then it has everything and is told of nothing", async () => {
    const channelKinds = { defaults: { retainedCount: FLOOD, retainedBytes: 2 * FLOOD * BYTES } };
    await using real = await RealServer.start({ channelKinds });
    const reader = await real.connect("t1", "r", "json");
    await reader.subscribe("room:1");
    reader.stall();
    await flood(real, reader);
    expect(isBehind(real)).toBe(true);
    reader.resume();
    await reader.reaches("room:1", FLOOD);
    expect([real.events.get("publication"), real.events.get("lagged")]).toEqual([FLOOD, undefined]);
    expectPromiseKept(real.checker);
  });

  it("given the policy of the newest, when it reads again, then it is told how many it skipped and has the newest", async () => {
    const channelKinds = {
      defaults: { lagPolicy: "latest", retainedCount: FLOOD, retainedBytes: 2 * FLOOD * BYTES },
    } as const;
    await using real = await RealServer.start({ channelKinds });
    const reader = await real.connect("t1", "r");
    await reader.subscribe("room:1");
    reader.stall();
    await flood(real, reader);
    reader.resume();
    await reader.reaches("room:1", FLOOD);
    expect(real.events.get("lagged")).toBe(1);
    expect(real.events.get("publication")).toBeLessThan(FLOOD / 2);
    expectPromiseKept(real.checker);
  });

  it("given the policy to disconnect, when it falls behind, then it is closed with 4008 and recovers afterwards", async () => {
    const channelKinds = {
      defaults: { lagPolicy: "disconnect", retainedCount: FLOOD, retainedBytes: 2 * FLOOD * BYTES },
    } as const;
    await using real = await RealServer.start({ channelKinds });
    const reader = await real.connect("t1", "r");
    await reader.subscribe("room:1");
    reader.stall();
    await flood(real, reader);
    expect([...real.server.connections.find()].map(({ closing }) => closing?.code)).toEqual([CloseCode.SLOW_CLIENT]);
    reader.resume();
    await reader.until(() => !reader.isConnected);
    expect(reader.closeCode).toBe(CloseCode.SLOW_CLIENT);
    await reader.reconnect();
    await reader.reaches("room:1", FLOOD);
    expect(real.events.get("publication")).toBe(FLOOD);
    expectPromiseKept(real.checker);
  });

  it("given 15 s in which it takes less than 1 KiB a second, when they are over, then it is closed with 4008, and not before", async () => {
    const clock = new ManualClock();
    await using real = await RealServer.start({ clock, heartbeatIntervalSecs: 1_000_000 });
    const reader = await real.connect("t1", "r");
    const healthy = await real.connect("t1", "h");
    for (const client of [reader, healthy]) await client.subscribe("room:1");
    reader.stall();
    await flood(real, reader);
    await healthy.reaches("room:1", FLOOD);
    // The sweep that finds it behind begins to count.
    for (let second = 0; second <= 15; second++) {
      expect([...real.server.connections.find({ user: "r" })].map(({ closing }) => closing)).toEqual([undefined]);
      clock.advance(1000);
    }
    const codes = [...real.server.connections.find()].map(({ closing }) => closing?.code);
    expect(codes).toEqual([CloseCode.SLOW_CLIENT, undefined]);
    reader.resume();
    await reader.until(() => !reader.isConnected);
    expect(reader.closeCode).toBe(CloseCode.SLOW_CLIENT);
    await reader.reconnect();
    await reader.reaches("room:1", FLOOD);
    expectPromiseKept(real.checker);
  });
});
