import { describe, expect, it } from "vitest";
import type { RecordingClient } from "../src/testing/index.ts";
import { expectPromiseKept } from "./support/expect-promise-kept.ts";
import { ServerProcess } from "./support/server-process.ts";

const MIB = 1_048_576;

describe("a reader that was away for long", () => {
  it("given 100 000 missed messages that are in the log, when two come back, then they have all in order, in bounded memory", async () => {
    const channelKinds = { defaults: { retainedCount: 200_000, retainedBytes: 60 * MIB } };
    await using server = await ServerProcess.start({ channelKinds });
    const readers = [await server.connect("t1", "a"), await server.connect("t1", "b", "json")];
    for (const reader of readers) {
      await reader.subscribe("room:1");
      await reader.cut();
    }
    const publish = { tenant: "t1", channel: "room:1", prefix: "p", count: 100_000, bytes: 120, atOnce: 1000 };
    expect(await server.publish(publish)).toBe(100_000);
    await server.measure();
    await Promise.all(readers.map((reader) => reader.reconnect()));
    await Promise.all(readers.map((reader) => reader.reaches("room:1", 100_000)));
    expect(server.events.get("publication")).toBe(200_000);
    expect(server.events.get("lagged")).toBeUndefined();
    expectPromiseKept(server.checker);
    // The log has 30 MB of them; what is on its way to a reader is a page or two.
    const { grownBytes, mostQueuedBytes } = await server.stats();
    expect(mostQueuedBytes).toBeLessThan(MIB);
    expect(grownBytes).toBeLessThan(48 * MIB);
  }, 60_000);
});

describe("many slow readers", () => {
  it("given a fifth of all that stop reading, when publications go on, then memory is bounded, the others have all, and the slow are told", async () => {
    const [ALL, SLOW, COUNT, BYTES] = [200, 40, 900, 8000];
    await using server = await ServerProcess.start({
      channelKinds: { defaults: { retainedCount: 200, retainedBytes: 16 * MIB } },
    });
    const readers: RecordingClient[] = [];
    for (let index = 0; index < ALL; index++) {
      const reader = await server.connect("t1", `u${index}`, index % 4 === 0 ? "json" : "proto");
      await reader.subscribe("room:1");
      readers.push(reader);
    }
    const [slow, fast] = [readers.slice(0, SLOW), readers.slice(SLOW)];
    for (const reader of slow) reader.stall();
    await server.measure();
    // As many at once as half of what is retained: who reads cannot fall out of the log.
    for (let round = 1; round <= COUNT / 100; round++) {
      const publish = { tenant: "t1", channel: "room:1", prefix: `r${round}-`, count: 100, bytes: BYTES, atOnce: 10 };
      const offset = await server.publish(publish);
      await Promise.all(fast.map((reader) => reader.reaches("room:1", offset)));
    }
    const { lagging, grownBytes, mostQueuedBytes } = await server.stats();
    expect(server.events.get("publication")).toBe((ALL - SLOW) * COUNT);
    expect(lagging).toBe(SLOW);
    // Each holds its mark of 64 KiB, and at most one frame of 64 KiB above it.
    expect(mostQueuedBytes).toBeLessThan(SLOW * 3 * 65_536);
    expect(grownBytes).toBeLessThan(72 * MIB);
    for (const reader of slow) reader.resume();
    await Promise.all(slow.map((reader) => reader.reaches("room:1", COUNT)));
    expect(server.events.get("lagged")).toBeGreaterThanOrEqual(SLOW);
    expectPromiseKept(server.checker);
  }, 120_000);
});
