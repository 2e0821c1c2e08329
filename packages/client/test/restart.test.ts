import { describe, expect, it } from "vitest";
import { CuttingProxy } from "./cutting-proxy.ts";
import { DeliveryRecord, upTo } from "./delivery-record.ts";
import { PmServerProcess } from "./pm-server.ts";
import { realClient, whenState } from "./real-client.ts";

const CHANNEL = "project:42";

describe("a server that is killed", () => {
  it("given another one in its place, when clients are back, then the new epoch is told, and what was on its way is not published twice", async () => {
    await using first = await PmServerProcess.start();
    await using proxy = await CuttingProxy.start(first.port);
    await using client = realClient(proxy.url);
    const channel = client.channel(CHANNEL);
    const record = new DeliveryRecord(channel);
    await client.connect();
    await channel.subscribe();
    for (const id of upTo(3)) await channel.publish(id);
    await record.reached(3);

    proxy.flow = "to-server-only";
    const open = expect(channel.publish("open")).rejects.toMatchObject({ code: "OUTCOME_UNKNOWN" });
    await new Promise(setImmediate);
    await first.kill();
    await whenState(client, "waiting");
    const waiting = channel.publish("waiting");
    await using second = await PmServerProcess.start();
    proxy.flow = "open";
    proxy.targetPort = second.port;

    await open;
    expect((await waiting).position.offset).toBe(1);
    await record.reached(4);
    expect(record.ids).toEqual([1, 2, 3, "waiting"]);
    expect(record.misses).toMatchObject([{ reason: "EPOCH_CHANGED", count: undefined, position: { offset: 0 } }]);
    expect(record.publications.map(({ missedBefore }) => missedBefore?.reason)).toEqual([
      undefined,
      undefined,
      undefined,
      "EPOCH_CHANGED",
    ]);
  });

  it("given retention that is over while the client is away, when it is back, then it is told how many are gone", async () => {
    await using server = await PmServerProcess.start({ BROADCAST_CAPACITY: "5" });
    await using proxy = await CuttingProxy.start(server.port);
    await using away = realClient(proxy.url);
    await using publisher = realClient(server.url);
    const channel = away.channel(CHANNEL);
    const record = new DeliveryRecord(channel);
    await Promise.all([away.connect(), publisher.connect()]);
    await channel.subscribe();
    await publisher.channel(CHANNEL).publish(1);
    await record.reached(1);
    proxy.isRefusing = true;
    proxy.cut();
    await whenState(away, "waiting");
    for (const id of upTo(20)) await publisher.channel(CHANNEL).publish(id + 1);
    proxy.isRefusing = false;
    await record.reached(6);
    expect(record.ids).toEqual([1, 17, 18, 19, 20, 21]);
    expect(record.misses).toMatchObject([{ reason: "RETENTION", count: 15, position: { offset: 16 } }]);
  });
});
