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
});
