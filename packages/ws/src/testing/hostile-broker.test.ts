import { ManualClock } from "@pm/core/testing";
import { describe, expect, it } from "vitest";
import { MemoryBroker } from "../log/memory-broker.ts";
import type { BrokerFaults } from "./broker-faults.ts";
import {
  appendEach,
  channelRef,
  draft,
  HeardNotices,
  numbers,
  offsetsOf,
  WHOLE,
} from "./broker-contract/broker-fixture.ts";
import { publicationIn } from "./entry-publication.ts";
import { HostileBroker } from "./hostile-broker.ts";
import { SeededRandom } from "./seeded-random.ts";

function start(faults: Partial<BrokerFaults> = {}): {
  broker: HostileBroker;
  clock: ManualClock;
  memory: MemoryBroker;
} {
  const clock = new ManualClock();
  const memory = new MemoryBroker({ clock });
  return { clock, memory, broker: new HostileBroker({ broker: memory, clock, random: new SeededRandom(5), faults }) };
}

async function heardBy(faults: Partial<BrokerFaults>): Promise<HeardNotices> {
  const { broker, clock } = start(faults);
  const heard = new HeardNotices();
  await broker.subscribe(channelRef(), heard);
  await appendEach(broker, channelRef(), numbers(200));
  clock.advance(1000);
  return heard;
}

const INCREASING = numbers(200).map(Number);

describe("HostileBroker", () => {
  it("given dropped notices, when entries are appended, then some are not heard of, and the rest come in order", async () => {
    const { offsets } = await heardBy({ dropNotices: 0.5 });
    expect(offsets.length).toBeGreaterThan(50);
    expect(offsets.length).toBeLessThan(150);
    expect(offsets).toEqual(offsets.toSorted((a, b) => a - b));
  });

  it("given duplicated notices, when entries are appended, then some are heard of twice", async () => {
    const { offsets } = await heardBy({ duplicateNotices: 0.5 });
    expect(new Set(offsets)).toEqual(new Set(INCREASING));
    expect(offsets.length).toBeGreaterThan(250);
  });

  it("given delayed notices, when entries are appended, then all are heard of, out of order", async () => {
    const { offsets } = await heardBy({ delayNotices: 0.5 });
    expect(offsets.toSorted((a, b) => a - b)).toEqual(INCREASING);
    expect(offsets).not.toEqual(INCREASING);
  });

  it("given interruptions, when entries are appended, then listeners are told that they may have missed some", async () => {
    const { interruptions } = await heardBy({ interrupt: 0.5 });
    expect(interruptions).toBeGreaterThan(50);
  });

  it("given a closed subscription, when late notices are due, then none comes", async () => {
    const { broker, clock } = start({ delayNotices: 1 });
    const heard = new HeardNotices();
    await broker.subscribe(channelRef(), heard);
    await appendEach(broker, channelRef(), numbers(10));
    await broker.unsubscribe(channelRef(), heard);
    clock.advance(1000);
    expect(heard.calls).toBe(0);
  });

  it("given delayed reads, when the log grows meanwhile, then some pages are out of date", async () => {
    const { broker, clock } = start({ delayReads: 0.5 });
    const tops: number[] = [];
    for (let round = 1; round <= 40; round++) {
      const page = broker.read(channelRef(), WHOLE).then(({ top }) => tops.push(round - top.offset));
      await appendEach(broker, channelRef(), ["1"]);
      for (let ms = 0; ms < 50; ms++) {
        await new Promise((resolve) => setImmediate(resolve));
        clock.advance(1);
      }
      await page;
    }
    expect(new Set(tops)).toEqual(new Set([0, 1]));
  });

  it("given delayed appends, when many are under way, then the log has them in the order of their calls", async () => {
    const { broker, clock, memory } = start({ delayAppends: 0.7 });
    const appends = Promise.all(numbers(30).map((text) => broker.append(channelRef(), draft(text))));
    expect((await memory.read(channelRef(), WHOLE)).top.offset).toBeLessThan(30);
    const moving = setInterval(() => clock.advance(1));
    await appends.finally(() => clearInterval(moving));
    const { entries } = await memory.read(channelRef(), WHOLE);
    expect(entries.map((entry) => publicationIn(entry).payload?.kind.value)).toEqual(numbers(30));
  });

  it("given failing appends, when they are made, then some are in the log all the same and none is acknowledged", async () => {
    const { broker, memory } = start({ failAppends: 1 });
    const outcomes = await Promise.allSettled(numbers(100).map((text) => broker.append(channelRef(), draft(text))));
    for (const outcome of outcomes)
      expect(outcome).toMatchObject({ status: "rejected", reason: { code: "UNAVAILABLE" } });
    const { offset } = (await memory.read(channelRef(), WHOLE)).top;
    expect(offset).toBeGreaterThan(20);
    expect(offset).toBeLessThan(80);
    broker.calm();
    expect((await broker.append(channelRef(), draft("1"))).position.offset).toBe(offset + 1);
  });

  it("given failing reads, when the log is read, subscribed to or renewed, then it is UNAVAILABLE", async () => {
    const { broker } = start({ failReads: 1 });
    await expect(broker.read(channelRef(), WHOLE)).rejects.toMatchObject({ code: "UNAVAILABLE" });
    await expect(broker.subscribe(channelRef(), new HeardNotices())).rejects.toMatchObject({ code: "UNAVAILABLE" });
    await expect(broker.renew(channelRef(), "e")).rejects.toMatchObject({ code: "UNAVAILABLE" });
  });

  it("given a log that loses its tail, when it goes on, then offsets come again under the same epoch with other tags", async () => {
    const { broker } = start();
    const heard = new HeardNotices();
    await broker.subscribe(channelRef(), heard);
    const before = await appendEach(broker, channelRef(), numbers(5));
    expect(await broker.loseTail(channelRef(), 2)).toBe(2);
    const page = await broker.read(channelRef(), WHOLE);
    expect([offsetsOf(page), page.top.offset, page.epoch]).toEqual([[1, 2, 3], 3, before[0]?.position.epoch]);
    const again = await broker.append(channelRef(), draft("other"));
    expect(again.position).toMatchObject({ offset: 4, epoch: page.epoch });
    expect(again.position.check).not.toBe(before[3]?.position.check);
    expect(heard.offsets).toEqual([1, 2, 3, 4, 5, 4]);
    const [entry] = (await broker.read(channelRef(), { ...WHOLE, from: 3 })).entries;
    expect(entry).toMatchObject({ offset: 4, prevCheck: before[2]?.position.check, check: again.position.check });
    expect(entry && publicationIn(entry).payload?.kind.value).toBe("other");
  });

  it("given a log that lost its tail, when it is renewed, then it is a new one", async () => {
    const { broker } = start();
    const heard = new HeardNotices();
    await broker.subscribe(channelRef(), heard);
    const [first] = await appendEach(broker, channelRef(), numbers(5));
    await broker.loseTail(channelRef(), 2);
    await broker.renew(channelRef(), first?.position.epoch ?? "");
    const page = await broker.read(channelRef(), WHOLE);
    expect([page.entries, page.top.offset, heard.interruptions]).toEqual([[], 0, 1]);
    expect(page.epoch).not.toBe(first?.position.epoch);
  });

  it("given a log that lost its tail, when it is read in pages either way, then they are as those of any log", async () => {
    const { broker } = start();
    await appendEach(broker, channelRef(), numbers(6));
    await broker.loseTail(channelRef(), 1);
    const read = async (from: number, direction: "forward" | "backward", maxCount: number): Promise<number[]> =>
      offsetsOf(await broker.read(channelRef(), { from, direction, maxCount, maxBytes: 100_000 }));
    expect(await read(2, "forward", 2)).toEqual([3, 4]);
    expect(await read(9, "backward", 2)).toEqual([5, 4]);
    expect(await read(5, "forward", 2)).toEqual([]);
    expect(offsetsOf(await broker.read(channelRef(), { ...WHOLE, maxBytes: 1 }))).toEqual([1]);
  });

  it("given every fault, when the log is peeked into, then it is as it is", async () => {
    const { broker } = start({ failReads: 1, delayReads: 1 });
    broker.calm();
    await appendEach(broker, channelRef(), numbers(3));
    broker.faults = { ...broker.faults, failReads: 1, delayReads: 1 };
    expect(offsetsOf(await broker.peek(channelRef()))).toEqual([1, 2, 3]);
    await broker.loseTail(channelRef(), 2);
    expect(offsetsOf(await broker.peek(channelRef()))).toEqual([1]);
  });

  it("given a key that was used since the tail was lost, when it comes again, then its position is the answer", async () => {
    const { broker } = start();
    await appendEach(broker, channelRef(), numbers(2));
    await broker.loseTail(channelRef(), 1);
    const first = await broker.append(channelRef(), draft("1", { idempotencyKey: "k" }));
    expect(await broker.append(channelRef(), draft("1", { idempotencyKey: "k" }))).toEqual({
      ...first,
      duplicate: true,
    });
  });

  it("given a listener, when its channel is interrupted, then it is told", async () => {
    const { broker } = start();
    const [heard, other] = [new HeardNotices(), new HeardNotices()];
    await broker.subscribe(channelRef(), heard);
    await broker.subscribe(channelRef("other"), other);
    broker.interrupt(channelRef());
    expect([heard.interruptions, other.interruptions]).toEqual([1, 0]);
  });
});
