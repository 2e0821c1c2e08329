import { RecoveryMiss } from "@pm/proto";
import { describe, expect, test } from "vitest";
import { MemoryChannel } from "../../test/support/memory-channel.ts";
import { MemoryReader } from "../../test/support/memory-reader.ts";
import { WsError } from "../ws-error.ts";
import { Subscription } from "./subscription.ts";

/** Offsets from `first` to `last`. */
function range(first: number, last: number): number[] {
  return Array.from({ length: last - first + 1 }, (_, index) => first + index);
}

describe("pages", () => {
  test("given two channels of several pages, when one reader catches up, then they take turns, a page each", async () => {
    const [a, b] = [await MemoryChannel.open({ name: "a" }), await MemoryChannel.open({ name: "b" })];
    await a.publish(6, 30_000);
    await b.publish(6, 30_000);
    // Each broker has one of the channels; the reader asks the one that has it.
    const broker = Object.create(a.broker) as typeof a.broker;
    broker.read = (channel, request) => (channel.name === a.ref.name ? a.broker : b.broker).read(channel, request);
    const { scheduler, clock, logger } = a;
    const reader = new MemoryReader(a.ref.tenant, { broker, scheduler, clock, logger });
    for (const { channel, origin } of [a, b]) channel.add(new Subscription(reader, channel, origin));
    await a.settle(40);
    expect(reader.channels.join("")).toBe("aabbaabbaabb");
    expect(reader.offsets).toEqual([1, 2, 1, 2, 3, 4, 3, 4, 5, 6, 5, 6]);
    expect(reader.catchUp.size).toBe(0);
  });

  test("given a log of several pages, when it is read, then each is read once, and then the reader is live", async () => {
    const memory = await MemoryChannel.open();
    await memory.publish(6, 30_000);
    const subscription = memory.join(memory.origin);
    await memory.settle();
    expect([subscription.reader.offsets, memory.reads]).toEqual([range(1, 6), 3]);
    expect(subscription.isCatchingUp).toBe(false);
    await memory.publish();
    await memory.settle();
    expect([subscription.reader.offsets, memory.reads]).toEqual([range(1, 7), 3]);
  });

  test("given a subscription that waits, when it is added again, then it is read once", async () => {
    const memory = await MemoryChannel.open();
    await memory.publish(3);
    const subscription = memory.join(memory.origin);
    subscription.reader.catchUp.add(subscription);
    subscription.reader.catchUp.add(subscription);
    expect(subscription.reader.catchUp.size).toBe(1);
    await memory.settle();
    expect([subscription.reader.offsets, memory.reads]).toEqual([[1, 2, 3], 1]);
  });
});

describe("a socket that is full", () => {
  test("given a page that fills it, when there is more, then no other is read until it has drained", async () => {
    const memory = await MemoryChannel.open();
    await memory.publish(10, 30_000);
    const { reader } = memory.join(memory.origin);
    reader.isStuck = true;
    await memory.settle();
    expect([reader.offsets, memory.reads, reader.catchUp.size]).toEqual([[1, 2], 1, 1]);
    reader.catchUp.wake();
    await memory.settle();
    expect(memory.reads).toBe(1);
    reader.drain();
    await memory.settle();
    expect(reader.offsets).toEqual(range(1, 10));
  });

  test("given a reader that drains while its page is read, when the page has come, then it goes on", async () => {
    const memory = await MemoryChannel.open();
    await memory.publish(6, 30_000);
    const { reader } = memory.join(memory.origin);
    memory.broker.afterRead = async () => {
      reader.isStuck = true;
      reader.writableLength = 2000;
      setImmediate(() => reader.drain());
    };
    await memory.settle(60);
    expect(reader.offsets).toEqual(range(1, 6));
  });
});

describe("what a reader is told", () => {
  test("given entries that retention took, when it catches up, then how many and where it goes on, before the next one", async () => {
    const memory = await MemoryChannel.open({ kind: { retainedCount: 4 } });
    await memory.publish(10);
    const { reader } = memory.join(memory.origin);
    await memory.settle();
    expect(reader.lags).toEqual([{ reason: RecoveryMiss.RETENTION, missed: 6, after: 6 }]);
    expect(reader.offsets).toEqual([7, 8, 9, 10]);
  });

  test("given entries that retention takes between two pages, when it reads on, then it is told of those alone", async () => {
    const memory = await MemoryChannel.open({ kind: { retainedCount: 6 } });
    await memory.publish(6, 30_000);
    const { reader } = memory.join(memory.origin);
    reader.isStuck = true;
    await memory.settle();
    await memory.publish(6, 30_000);
    reader.drain();
    await memory.settle();
    expect(reader.lags).toEqual([{ reason: RecoveryMiss.RETENTION, missed: 4, after: 6 }]);
    expect(reader.offsets).toEqual([1, 2, ...range(7, 12)]);
  });

  test("given another tag at its place, when it catches up, then the log gets a new epoch and nothing of it comes", async () => {
    const memory = await MemoryChannel.open();
    await memory.publish(4);
    const { epoch, check } = memory.channel.top;
    const { reader } = memory.join({ epoch, offset: 2, check: check ^ 1 });
    await memory.settle();
    const { top } = memory.channel;
    expect(top.epoch).not.toBe(epoch);
    expect(reader.lags).toEqual([{ reason: RecoveryMiss.EPOCH_CHANGED, missed: 0, after: top.offset }]);
    expect(reader.offsets).toEqual([]);
  });

  test("given a log shorter than what has come from it, when it is read, then it waits, and is told of the new epoch", async () => {
    const memory = await MemoryChannel.open();
    await memory.publish(3);
    const { epoch } = memory.channel.top;
    await memory.hostile.loseTail(memory.ref, 1);
    const { reader } = memory.join(memory.origin);
    await memory.settle();
    expect([reader.offsets, reader.lags]).toEqual([[], []]);
    expect(memory.logger.lines).toMatchObject([
      { event: "catch_up_failed", fields: { tenant_id: memory.ref.tenant, user_id: "ada", connection_id: "reader" } },
    ]);
    expect(memory.channel.top.epoch).not.toBe(epoch);
    memory.clock.advance(1000);
    await memory.settle();
    expect(reader.lags.map(({ reason }) => reason)).toEqual([RecoveryMiss.EPOCH_CHANGED]);
  });

  test("given the policy of the newest and nothing to skip, when it goes on, then it is told of nothing", async () => {
    const memory = await MemoryChannel.open({ kind: { lagPolicy: "latest" } });
    const subscription = memory.join();
    const { reader } = subscription;
    reader.isStuck = true;
    reader.writableLength = 2000;
    await memory.publish();
    await memory.settle();
    expect(subscription.maySkip).toBe(true);
    reader.drain();
    await memory.settle();
    expect([reader.offsets, reader.lags]).toEqual([[1], []]);
  });
});

test("given the policy of the newest and a log that was renewed, when it goes on, then it is told of the new epoch", async () => {
  const memory = await MemoryChannel.open({ kind: { lagPolicy: "latest" }, faults: { dropNotices: 1 } });
  const subscription = memory.join();
  const { reader } = subscription;
  await memory.broker.renew(memory.ref, memory.channel.top.epoch);
  await memory.publish(5);
  subscription.maySkip = true;
  reader.catchUp.add(subscription);
  await memory.settle();
  expect(reader.lags).toEqual([{ reason: RecoveryMiss.EPOCH_CHANGED, missed: 0, after: 5 }]);
});

test("given a cursor that is moved to another epoch while its page is read, when the page comes, then it stays there", async () => {
  const memory = await MemoryChannel.open();
  await memory.publish(3);
  const subscription = memory.join(memory.origin);
  memory.broker.afterRead = async () => {
    memory.broker.afterRead = async () => undefined;
    await memory.broker.renew(memory.ref, subscription.epoch);
    const { epoch, base } = await memory.hostile.peek(memory.ref);
    await memory.publish(2);
    subscription.moveTo({ epoch, ...base });
  };
  await memory.settle();
  expect([subscription.reader.lags, subscription.reader.offsets]).toEqual([[], [1, 2]]);
});

describe("a subscription that ends", () => {
  test("given one whose page is on its way, when it ends, then nothing of the page comes", async () => {
    const memory = await MemoryChannel.open();
    await memory.publish(3);
    const subscription = memory.join(memory.origin);
    memory.broker.afterRead = async () => memory.channel.end(subscription);
    await memory.settle();
    expect([subscription.reader.offsets, memory.reads]).toEqual([[], 1]);
  });

  test("given one that waits its turn, when it ends, then it is not read and others are", async () => {
    const memory = await MemoryChannel.open();
    await memory.publish(3);
    const reader = new MemoryReader(memory.ref.tenant, memory);
    const [gone, stays] = [1, 2].map(() => new Subscription(reader, memory.channel, memory.origin));
    if (gone === undefined || stays === undefined) throw new Error("there are two");
    memory.channel.add(gone);
    memory.channel.add(stays);
    memory.channel.end(gone);
    await memory.settle();
    expect([reader.offsets, memory.reads, gone.next, stays.next]).toEqual([[1, 2, 3], 1, 1, 4]);
  });

  test("given a reader that is closed, when it is woken or asked for more, then nothing is read", async () => {
    const memory = await MemoryChannel.open();
    await memory.publish(3);
    const subscription = memory.join(memory.origin);
    const { catchUp, offsets } = subscription.reader;
    catchUp.close();
    catchUp.wake();
    subscription.isCatchingUp = false;
    catchUp.add(subscription);
    await memory.settle();
    expect([offsets, memory.reads, catchUp.size]).toEqual([[], 0, 0]);
  });
});

describe("a log that fails", () => {
  test("given reads that fail now and then, late and out of date, when time passes, then all comes once and in order", async () => {
    const memory = await MemoryChannel.open();
    memory.hostile.faults = { ...memory.hostile.faults, failReads: 0.4, delayReads: 0.5, dropNotices: 0.5 };
    await memory.publish(30, 10_000);
    const { reader } = memory.join(memory.origin);
    for (let passed = 0; passed < 60_000; passed += 20) {
      memory.clock.advance(20);
      if (passed % 5000 === 0) memory.channel.verify();
      await memory.settle(2);
    }
    expect([reader.offsets, reader.lags]).toEqual([range(1, 30), []]);
  });

  test("given a read that fails, when it is woken before a second has passed, then it still waits", async () => {
    const memory = await MemoryChannel.open();
    await memory.publish(1);
    let attempts = 0;
    memory.broker.beforeRead = async () => {
      if (++attempts === 1) throw WsError.unavailable("away");
    };
    const { reader } = memory.join(memory.origin);
    await memory.settle();
    memory.clock.advance(999);
    reader.catchUp.wake();
    await memory.settle();
    expect([attempts, reader.catchUp.size]).toEqual([1, 1]);
    memory.clock.advance(1);
    await memory.settle();
    expect([attempts, reader.offsets]).toEqual([2, [1]]);
  });
});
