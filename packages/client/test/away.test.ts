import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { Channel, PmClient } from "../src/index.ts";
import { CuttingProxy } from "./cutting-proxy.ts";
import { DeliveryRecord, upTo } from "./delivery-record.ts";
import { PmServerProcess } from "./pm-server.ts";
import { realClient, whenState } from "./real-client.ts";

describe("publishing while away", () => {
  let server: PmServerProcess;
  let proxy: CuttingProxy;
  let client: PmClient;
  let witness: PmClient;
  let channel: Channel;
  let record: DeliveryRecord;

  beforeEach(async () => {
    server = await PmServerProcess.start();
    proxy = await CuttingProxy.start(server.port);
    client = realClient(proxy.url);
    witness = realClient(server.url);
    channel = client.channel("project:42");
    record = new DeliveryRecord(witness.channel("project:42"));
    await Promise.all([client.connect(), witness.connect()]);
    await witness.channel("project:42").subscribe();
  });

  afterEach(async () => {
    await Promise.all([client.close(), witness.close()]);
    await proxy[Symbol.asyncDispose]();
    await server.kill();
  });

  it("given publishes without a connection, when the client is back, then each is in the log once, in order", async () => {
    proxy.isRefusing = true;
    proxy.cut();
    await whenState(client, "waiting");
    const published = upTo(200).map((id) => channel.publish(id));
    proxy.isRefusing = false;
    const results = await Promise.all(published);
    await record.reached(200);
    expect(record.ids).toEqual(upTo(200));
    expect(results.map(({ position }) => position.offset)).toEqual(upTo(200));
  });

  it("given publishes whose answers are lost, when the client is back, then they are answered as duplicates, and nothing comes twice", async () => {
    await channel.publish("known epoch");
    proxy.flow = "to-server-only";
    const published = upTo(50).map((id) => channel.publish(id));
    await record.reached(51);
    proxy.flow = "open";
    proxy.cut();
    const results = await Promise.all(published);
    expect(results.map(({ isDuplicate }) => isDuplicate)).toEqual(results.map(() => true));
    expect(results.map(({ position }) => position.offset)).toEqual(upTo(50).map((id) => id + 1));
    await channel.publish("last");
    await record.reached(52);
    expect(record.ids).toEqual(["known epoch", ...upTo(50), "last"]);
  });

  it("given a rate limit, when more is published than it lets through at once, then all of it is published in time", async () => {
    await using limited = await PmServerProcess.start({ RATE_LIMIT_REQUESTS: "10", RATE_LIMIT_WINDOW_SECS: "1" });
    await using publisher = realClient(limited.url);
    await publisher.connect();
    const results = await Promise.all(upTo(25).map((id) => publisher.channel("project:42").publish(id)));
    expect(results.map(({ position }) => position.offset)).toEqual(upTo(25));
  });

  it("given a rate and a long way to the server, when more is published one by one, then the connection is lost once at most, and all of it is published", async () => {
    await using limited = await PmServerProcess.start({ RATE_LIMIT_REQUESTS: "20", RATE_LIMIT_WINDOW_SECS: "1" });
    await using longWay = await CuttingProxy.start(limited.port);
    longWay.delayMs = 25;
    await using publisher = realClient(longWay.url);
    await using reader = realClient(limited.url);
    const closeCodes: number[] = [];
    publisher.on("state", (state) => state.kind === "waiting" && closeCodes.push(state.closeCode));
    const limitedRecord = new DeliveryRecord(reader.channel("project:42"));
    await Promise.all([publisher.connect(), reader.connect()]);
    await reader.channel("project:42").subscribe();
    await publisher.channel("project:42").publish(0);
    const published: Promise<unknown>[] = [];
    for (const id of upTo(120)) {
      published.push(publisher.channel("project:42").publish(id));
      await sleep(2);
    }
    await Promise.all(published);
    await limitedRecord.reached(121);
    expect(limitedRecord.ids.toSorted((a, b) => Number(a) - Number(b))).toEqual([0, ...upTo(120)]);
    expect(closeCodes.length).toBeLessThanOrEqual(1);
    expect(new Set([...closeCodes, 4029])).toEqual(new Set([4029]));
  });
});
