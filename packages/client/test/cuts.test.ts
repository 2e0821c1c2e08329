import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import type { PublishResult } from "../src/index.ts";
import { CuttingProxy } from "./cutting-proxy.ts";
import { DeliveryRecord, upTo } from "./delivery-record.ts";
import { PmServerProcess } from "./pm-server.ts";
import { realClient } from "./real-client.ts";

const LOAD_MS = process.env["SOAK"] === "1" ? 60_000 : 10_000;
const CHANNEL = "project:42";

describe("cuts at random under load", () => {
  it("given connections that are cut, silenced and refused, when there is calm again, then every publication is there once, in order, for all", {
    timeout: LOAD_MS + 40_000,
  }, async () => {
    await using server = await PmServerProcess.start({
      BROADCAST_CAPACITY: "1000000",
      BROADCAST_RETENTION_BYTES: "60000000",
      HEARTBEAT_INTERVAL_SECS: "1",
      HEARTBEAT_TIMEOUT_SECS: "1",
    });
    await using proxy = await CuttingProxy.start(server.port);
    await using publisher = realClient(proxy.url, { maxPendingPublishes: 100_000 });
    await using binary = realClient(proxy.url);
    await using json = realClient(proxy.url, { encoding: "json" });
    const records = [binary, json].map((client) => new DeliveryRecord(client.channel(CHANNEL)));
    for (const client of [binary, json]) {
      await client.connect();
      await client.channel(CHANNEL).subscribe();
    }
    await publisher.connect();

    const channel = publisher.channel(CHANNEL);
    await channel.subscribe();
    const published: Promise<PublishResult>[] = [];
    const endMs = Date.now() + LOAD_MS;
    const load = (async () => {
      for (let id = 1; Date.now() < endMs; id++) {
        published.push(channel.publish(id));
        await sleep(2);
      }
    })();
    let cuts = 0;
    while (Date.now() < endMs) {
      await sleep(50 + Math.random() * 500);
      // The golden ratio: every kind comes as often as it should, in any number of them.
      await disturb(proxy, (cuts * 0.618_034) % 1);
      cuts++;
    }
    await load;

    const results = await Promise.allSettled(published);
    expect(results.filter(({ status }) => status === "rejected")).toEqual([]);
    const repeated = results.filter((result) => result.status === "fulfilled" && result.value.isDuplicate);
    expect(repeated.length).toBeGreaterThan(0);
    const ids = upTo(published.length);
    for (const record of records) {
      await record.reached(published.length);
      expect(record.misses).toEqual([]);
      expect(record.offsets).toEqual(ids);
      expect(record.ids).toEqual(ids);
      expect(record.recoveries).toBeGreaterThan(cuts / 4);
    }
    expect(cuts).toBeGreaterThan(LOAD_MS / 1000);
  });
});

/** Mostly a cut; sometimes silence until the client notices, answers that are lost, or a server out of reach. */
async function disturb(proxy: CuttingProxy, chance: number): Promise<void> {
  if (chance < 0.15) {
    proxy.flow = "blackhole";
    await sleep(300);
    proxy.flow = "open";
  } else if (chance < 0.4) {
    proxy.flow = "to-server-only";
    await sleep(30);
    proxy.cut();
    proxy.flow = "open";
  } else if (chance < 0.5) {
    proxy.isRefusing = true;
    proxy.cut();
    await sleep(100);
    proxy.isRefusing = false;
  } else {
    proxy.cut();
  }
}
