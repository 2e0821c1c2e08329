import { describe, expect, it } from "vitest";
import { DeliveryRecord, upTo } from "./delivery-record.ts";
import { PmServerProcess } from "./pm-server.ts";
import { realClient } from "./real-client.ts";

const COUNT = 3000;

describe("a consumer that is slower than the publisher", () => {
  it.each(["proto", "json"] as const)(
    "given %s and a queue of 50, when 3000 are published at once, then all come, in order, with pauses between",
    async (encoding) => {
      await using server = await PmServerProcess.start({
        BROADCAST_CAPACITY: "10000",
        BROADCAST_RETENTION_BYTES: "10000000",
      });
      await using consumer = realClient(server.url, { encoding, maxQueuedPublications: 50 });
      await using publisher = realClient(server.url, { maxPendingPublishes: COUNT });
      const channel = consumer.channel("project:42");
      const record = new DeliveryRecord(channel);
      await Promise.all([consumer.connect(), publisher.connect()]);
      await channel.subscribe();
      const loop = channel[Symbol.asyncIterator]();
      const published = Promise.all(upTo(COUNT).map((id) => publisher.channel("project:42").publish(id)));

      const taken: unknown[] = [];
      for (let ahead = 0; taken.length < COUNT; ) {
        taken.push((await loop.next()).value?.data);
        ahead = Math.max(ahead, record.publications.length - taken.length);
        expect(ahead).toBeLessThanOrEqual(50);
        if (taken.length % 10 === 0) await new Promise(setImmediate);
      }
      await published;
      expect(taken).toEqual(upTo(COUNT));
      expect(record.misses).toEqual([]);
      expect(record.states.filter((state) => state === "paused").length).toBeGreaterThan(5);
      await loop.return?.();
    },
  );
});
