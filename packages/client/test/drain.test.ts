import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import { type ClientState, systemRandomness } from "../src/index.ts";
import { CuttingProxy } from "./cutting-proxy.ts";
import { DeliveryRecord, upTo } from "./delivery-record.ts";
import { FrameInjector } from "./frame-injector.ts";
import { PmServerProcess } from "./pm-server.ts";
import { realClient, whenState } from "./real-client.ts";

const CHANNEL = "project:42";
const DRAIN = { DRAIN_GRACE_SECS: "1", DRAIN_WINDOW_SECS: "4", DRAIN_DEADLINE_SECS: "8" };

describe("moving between servers", () => {
  it("given a GoAway under load, when the client has moved to a second connection to the same log, then nothing was lost or repeated, and it was never away", async () => {
    await using server = await PmServerProcess.start();
    await using injector = await FrameInjector.start(server.url);
    // Without chance no move waits longer than the hint, so that all happen under load.
    await using client = realClient(injector.url, { random: { ...systemRandomness, fraction: () => 0 } });
    await using publisher = realClient(server.url);
    const channel = client.channel(CHANNEL);
    const record = new DeliveryRecord(channel);
    const kinds: string[] = [];
    client.on("state", ({ kind }) => kinds.push(kind));
    await Promise.all([client.connect(), publisher.connect()]);
    await channel.subscribe();

    const sent: Promise<unknown>[] = [];
    for (const round of upTo(5)) {
      injector.say({ body: { case: "goAway", value: { reconnectAfterMs: 20 } } });
      for (const step of upTo(40)) {
        const id = (round - 1) * 80 + step * 2;
        sent.push(publisher.channel(CHANNEL).publish(id - 1), channel.publish(id));
        await sleep(3);
      }
      await injector.reached(round + 1);
    }
    await Promise.all(sent);
    expect(injector.clients).toHaveLength(6);
    await record.reached(400);
    expect(record.offsets).toEqual(upTo(400));
    expect(record.ids.toSorted((a, b) => Number(a) - Number(b))).toEqual(upTo(400));
    expect(record.ids.filter((id) => Number(id) % 2 === 0)).toEqual(upTo(200).map((id) => id * 2));
    expect([record.misses, record.recoveries, record.states]).toEqual([[], 5, ["subscribing", "subscribed"]]);
    expect(new Set(kinds)).toEqual(new Set(["connecting", "connected"]));
    expect(kinds.filter((kind) => kind === "connecting")).toHaveLength(1);
    await expect.poll(() => injector.clients.slice(0, -1).map(({ readyState }) => readyState)).toEqual([3, 3, 3, 3, 3]);
  });

  it("given a server that drains and another one with a log of its own, when the hint has passed, then the client moves before the close and is told of the new epoch", async () => {
    await using draining = await PmServerProcess.start(DRAIN);
    await using proxy = await CuttingProxy.start(draining.port);
    await using client = realClient(proxy.url);
    const channel = client.channel(CHANNEL);
    const record = new DeliveryRecord(channel);
    await client.connect();
    await channel.subscribe();
    await channel.publish("before");
    await using other = await PmServerProcess.start();
    const states: ClientState[] = [];
    client.on("state", (state) => states.push(state));
    proxy.targetPort = other.port;
    draining.signal("SIGTERM");
    await whenMissed(record);
    await channel.publish("after");
    await record.reached(2);
    expect(record.ids).toEqual(["before", "after"]);
    expect(record.misses).toMatchObject([{ reason: "EPOCH_CHANGED" }]);
    expect(states.map(({ kind }) => kind)).toEqual(["connected"]);
  });

  it("given a server that drains and no other one, when the new connection is refused, then the old one serves until it is closed with 1012", async () => {
    await using draining = await PmServerProcess.start(DRAIN);
    await using proxy = await CuttingProxy.start(draining.port);
    await using client = realClient(proxy.url);
    await using direct = realClient(draining.url);
    const channel = client.channel(CHANNEL);
    const record = new DeliveryRecord(channel);
    await Promise.all([client.connect(), direct.connect()]);
    await channel.subscribe();
    draining.signal("SIGTERM");
    const kinds: string[] = [];
    client.on("state", ({ kind }) => kinds.push(kind));
    const acknowledged: unknown[] = [];
    for (let id = 1; client.state.kind === "connected"; id++) {
      void channel.publish(id).then(
        () => acknowledged.push(id),
        () => undefined,
      );
      await sleep(20);
    }
    expect(proxy.accepted).toBeGreaterThan(1);
    expect(kinds[0]).toBe("connecting");
    expect(acknowledged.length).toBeGreaterThan(50);
    expect(record.ids.slice(0, acknowledged.length)).toEqual(acknowledged);
    await using other = await PmServerProcess.start();
    proxy.targetPort = other.port;
    await whenState(client, "connected");
  });
});

async function whenMissed(record: DeliveryRecord): Promise<void> {
  for (const endMs = Date.now() + 10_000; record.misses.length === 0; ) {
    if (Date.now() > endMs) throw new Error("no miss was told");
    await sleep(10);
  }
}
