import { RecoveryMiss } from "@pm/proto";
import { describe, expect, test } from "vitest";
import { MemoryChannel } from "../../test/support/memory-channel.ts";
import type { LogEntry } from "../log/broker.ts";
import { WsError } from "../ws-error.ts";

const SILENT = { dropNotices: 1 };

async function entriesOf(memory: MemoryChannel): Promise<readonly LogEntry[]> {
  return (await memory.hostile.peek(memory.ref)).entries;
}

/** Tells a channel that hears nothing by itself of these entries, in this order. */
async function tell(memory: MemoryChannel, ...offsets: readonly number[]): Promise<void> {
  const entries = await entriesOf(memory);
  const { epoch } = memory.channel.top;
  for (const offset of offsets) {
    const entry = entries.find((each) => each.offset === offset);
    if (entry !== undefined) memory.channel.onEntry(epoch, entry);
  }
}

describe("notices", () => {
  test("given each that follows the one before, when they come, then all is delivered and the log is not read", async () => {
    const memory = await MemoryChannel.open({ faults: SILENT });
    const { reader } = memory.join();
    await memory.publish(3);
    await tell(memory, 1, 2, 3);
    await memory.settle();
    expect([reader.offsets, memory.reads]).toEqual([[1, 2, 3], 0]);
    expect(memory.fannedOut).toEqual([{ first: 1, last: 3, subscriptions: 1 }]);
  });

  test("given one that came before, when it comes again, then nothing is delivered or read", async () => {
    const memory = await MemoryChannel.open({ faults: SILENT });
    const { reader } = memory.join();
    await memory.publish(3);
    await tell(memory, 1, 2, 3, 3, 1, 2, 3);
    await memory.settle();
    expect([reader.offsets, memory.reads]).toEqual([[1, 2, 3], 0]);
  });

  test.each([
    ["one that jumps", [1, 3]],
    ["a late one behind a later one", [3, 2, 1]],
    ["the last alone", [3]],
  ])("given %s, when they come, then the log fills the gap, in order and once", async (_, offsets) => {
    const memory = await MemoryChannel.open({ faults: SILENT });
    const { reader } = memory.join();
    await memory.publish(3);
    await tell(memory, ...offsets);
    await memory.settle();
    expect(reader.offsets).toEqual([1, 2, 3]);
    expect(memory.reads).toBeGreaterThan(0);
  });

  test("given one with another tag before it, when it comes, then the log decides and it is not taken", async () => {
    const memory = await MemoryChannel.open({ faults: SILENT });
    const { reader } = memory.join();
    await memory.publish(2);
    await tell(memory, 1);
    const [, second] = await entriesOf(memory);
    if (second === undefined) throw new Error("there is no second entry");
    const forged = { ...second, prevCheck: second.prevCheck ^ 1, check: second.check ^ 1 };
    memory.channel.onEntry(memory.channel.top.epoch, forged);
    expect(memory.channel.top.offset).toBe(1);
    await memory.settle();
    expect(reader.offsets).toEqual([1, 2]);
    expect(memory.channel.top.check).toBe(second.check);
  });

  test("given one with another tag at the top, when it comes, then the log is asked", async () => {
    const memory = await MemoryChannel.open({ faults: SILENT });
    memory.join();
    await memory.publish(1);
    await tell(memory, 1);
    const [first] = await entriesOf(memory);
    if (first === undefined) throw new Error("there is no entry");
    memory.channel.onEntry(memory.channel.top.epoch, { ...first, check: first.check ^ 1 });
    await memory.settle();
    expect(memory.reads).toBe(1);
    expect(memory.channel.top.check).toBe(first.check);
  });

  test("given one of another epoch, when it comes, then the log is asked, which has it or not", async () => {
    const memory = await MemoryChannel.open({ faults: SILENT });
    const { reader } = memory.join();
    await memory.publish(1);
    const [first] = await entriesOf(memory);
    if (first === undefined) throw new Error("there is no entry");
    memory.channel.onEntry("another", first);
    expect(memory.channel.top.offset).toBe(0);
    await memory.settle();
    expect(reader.offsets).toEqual([1]);
  });

  test("given an interruption, when it is told, then what was missed is read", async () => {
    const memory = await MemoryChannel.open({ faults: SILENT });
    const { reader } = memory.join();
    await memory.publish(5);
    memory.hostile.interrupt(memory.ref);
    await memory.settle();
    expect([reader.offsets, reader.lags]).toEqual([[1, 2, 3, 4, 5], []]);
  });
});

describe("a look at the log", () => {
  test("given more than a page that nobody heard of, when it is looked at once, then all of it comes", async () => {
    const memory = await MemoryChannel.open({ faults: SILENT });
    const { reader } = memory.join();
    await memory.publish(10, 30_000);
    memory.channel.verify();
    await memory.settle(50);
    expect([memory.channel.top.offset, reader.offsets]).toEqual([10, [1, 2, 3, 4, 5, 6, 7, 8, 9, 10]]);
  });

  test("given an entry that comes while a page is on its way, when the page is there, then the log is no other", async () => {
    const memory = await MemoryChannel.open({ faults: SILENT });
    const { reader } = memory.join();
    const { epoch } = memory.channel.top;
    await memory.publish(1);
    memory.broker.afterRead = async () => {
      memory.broker.afterRead = async () => undefined;
      await memory.publish(2);
      await tell(memory, 1, 2, 3);
    };
    memory.channel.verify();
    await memory.settle();
    expect([memory.channel.top.epoch, reader.offsets, reader.lags]).toEqual([epoch, [1, 2, 3], []]);
  });

  test("given an entry that comes at any moment of it, when all is quiet, then nobody lacks it", async () => {
    for (let depth = 0; depth < 20; depth++) {
      const memory = await MemoryChannel.open();
      const { reader } = memory.join();
      memory.broker.afterRead = async () => {
        memory.broker.afterRead = async () => undefined;
        void (async () => {
          for (let hop = 0; hop < depth; hop++) await Promise.resolve();
          await memory.publish();
        })();
      };
      memory.channel.verify();
      await memory.settle();
      expect([depth, reader.offsets]).toEqual([depth, [1]]);
    }
  });
});

describe("opening", () => {
  test("given an entry between listening and the first look at the log, when it is open, then nobody lacks it", async () => {
    for (const moment of ["beforeRead", "afterRead"] as const) {
      const memory = new MemoryChannel();
      memory.broker[moment] = async () => {
        memory.broker[moment] = async () => undefined;
        await memory.publish();
      };
      await memory.channel.open();
      const { reader } = memory.join(memory.origin);
      await memory.settle();
      expect([moment, reader.offsets]).toEqual([moment, [1]]);
      expect(memory.channel.top.offset).toBe(1);
    }
  });

  test("given a log with entries, when it is opened, then it begins at the top and delivers none of them", async () => {
    const memory = new MemoryChannel();
    await memory.publish(4);
    await memory.channel.open();
    const { reader } = memory.join();
    await memory.settle();
    expect([memory.channel.top.offset, reader.offsets]).toEqual([4, []]);
  });
});

describe("the fan-out", () => {
  test("given more readers than a slice has, when a run is handed out, then it takes a step for each slice and is told once", async () => {
    const memory = await MemoryChannel.open();
    for (let count = 0; count < 70; count++) memory.join();
    await memory.publish();
    expect(memory.load.pendingBytes).toBeGreaterThan(0);
    const steps = [memory.channel.step(), memory.channel.step()];
    expect(memory.fannedOut).toEqual([]);
    steps.push(memory.channel.step());
    expect(steps).toEqual([true, true, false]);
    expect(memory.fannedOut).toEqual([{ first: 1, last: 1, subscriptions: 70 }]);
    expect(memory.load.pendingBytes).toBe(0);
    await memory.settle();
  });

  test.each([
    [10, 32],
    [10_000, 14],
    [60_000, 3],
    [500_000, 1],
  ])("given a publication of %d bytes, when a step is made, then %d readers are offered it", async (bytes, offers) => {
    const memory = await MemoryChannel.open();
    const readers = Array.from({ length: 40 }, () => memory.join().reader);
    await memory.publish(1, bytes);
    memory.channel.step();
    expect(readers.filter(({ outbox }) => outbox.messagesOut > 0)).toHaveLength(offers);
    await memory.settle();
    for (const { offsets } of readers) expect(offsets).toEqual([1]);
  });

  test("given a run that is half handed out, when the channel is touched, then nothing moves, and the rest comes as it would", async () => {
    const memory = await MemoryChannel.open();
    const readers = Array.from({ length: 70 }, () => memory.join().reader);
    expect(memory.channel.touch()).toEqual(expect.any(Number));
    await memory.publish(2);
    const reached = (): number => readers.filter(({ outbox }) => outbox.messagesOut > 0).length;
    memory.channel.touch();
    expect(reached()).toBe(0);
    memory.channel.step();
    const served = reached();
    memory.channel.touch();
    expect([served, reached()]).toEqual([32, 32]);
    await memory.settle();
    for (const { offsets } of readers) expect(offsets).toEqual([1, 2]);
    expect(memory.channel.touch()).toEqual(expect.any(Number));
  });

  test("given more than a frame holds, when it is handed out, then runs are cut at 64 KiB, and a larger one goes alone", async () => {
    const memory = await MemoryChannel.open();
    const { reader } = memory.join();
    await memory.publish(3, 30_000);
    await memory.publish(1, 100_000);
    await memory.publish(2, 10);
    await memory.settle();
    expect(memory.fannedOut.map(({ first, last }) => [first, last])).toEqual([
      [1, 2],
      [3, 3],
      [4, 4],
      [5, 6],
    ]);
    expect(reader.offsets).toEqual([1, 2, 3, 4, 5, 6]);
  });

  test("given nobody who reads, when entries come, then none waits, and the top follows", async () => {
    const memory = await MemoryChannel.open();
    await memory.publish(3);
    expect([memory.load.pendingBytes, memory.channel.top.offset]).toEqual([0, 3]);
    await memory.settle();
    expect(memory.fannedOut).toEqual([]);
  });
});

describe("a log that is not what it was", () => {
  test("given retention that took what nobody here has heard of, when the channel looks, then readers are told how many", async () => {
    const memory = await MemoryChannel.open({ kind: { retainedCount: 3 }, faults: SILENT });
    const { reader } = memory.join();
    await memory.publish(10);
    memory.channel.verify();
    await memory.settle();
    expect(reader.lags).toEqual([{ reason: RecoveryMiss.RETENTION, missed: 7, after: 7 }]);
    expect(reader.offsets).toEqual([8, 9, 10]);
  });

  test("given a new epoch, when the channel looks, then readers are told and go on in it", async () => {
    const memory = await MemoryChannel.open({ faults: SILENT });
    const { reader } = memory.join();
    const { epoch } = memory.channel.top;
    await memory.publish(2);
    await tell(memory, 1, 2);
    await memory.settle();
    await memory.broker.renew(memory.ref, epoch);
    memory.channel.verify();
    await memory.settle();
    expect(memory.channel.top.epoch).not.toBe(epoch);
    expect(reader.lags.map(({ reason }) => reason)).toEqual([RecoveryMiss.EPOCH_CHANGED]);
    await memory.publish();
    memory.channel.verify();
    await memory.settle();
    expect(reader.offsets).toEqual([1, 2, memory.channel.top.offset]);
  });

  test("given a log that has lost its end, when the channel looks, then it gets a new epoch before more is delivered", async () => {
    const memory = await MemoryChannel.open();
    const { reader } = memory.join();
    const { epoch } = memory.channel.top;
    await memory.publish(3);
    await memory.settle();
    await memory.hostile.loseTail(memory.ref, 2);
    memory.channel.verify();
    await memory.settle();
    expect(memory.channel.top.epoch).not.toBe(epoch);
    expect(reader.lags.map(({ reason }) => reason)).toEqual([RecoveryMiss.EPOCH_CHANGED]);
  });

  test("given a log that has lost its end and has grown again, when the channel looks, then the other tag gives it away", async () => {
    const memory = await MemoryChannel.open();
    const { reader } = memory.join();
    const { epoch } = memory.channel.top;
    await memory.publish(3);
    await memory.settle();
    await memory.hostile.loseTail(memory.ref, 1);
    await memory.publish();
    await memory.settle();
    expect(memory.channel.top.epoch).not.toBe(epoch);
    expect(reader.offsets.slice(0, 3)).toEqual([1, 2, 3]);
    expect(reader.lags.map(({ reason }) => reason)).toEqual([RecoveryMiss.EPOCH_CHANGED]);
  });

  test("given entries that wait, when the log gets a new epoch, then none of the old one does any more", async () => {
    const memory = await MemoryChannel.open({ kind: { flushDelayMs: 60_000 } });
    const { reader } = memory.join();
    await memory.publish(3);
    expect(memory.load.pendingBytes).toBeGreaterThan(0);
    await memory.broker.renew(memory.ref, memory.channel.top.epoch);
    await memory.settle();
    expect(memory.load.pendingBytes).toBe(0);
    memory.clock.advance(60_000);
    await memory.settle();
    expect([reader.offsets, reader.lags.map(({ reason }) => reason)]).toEqual([[], [RecoveryMiss.EPOCH_CHANGED]]);
  });

  test("given a broker that tells nothing of a new epoch, when the log has lost its end, then readers are told at once", async () => {
    const memory = await MemoryChannel.open();
    const { reader } = memory.join();
    await memory.publish(3);
    await memory.settle();
    await memory.hostile.loseTail(memory.ref, 2);
    memory.channel.onInterrupted = () => undefined;
    memory.channel.verify();
    await memory.settle();
    expect(reader.lags.map(({ reason }) => reason)).toEqual([RecoveryMiss.EPOCH_CHANGED]);
  });

  test("given a reader at the top with another tag, when it joins, then it is told, before anything is published", async () => {
    const memory = await MemoryChannel.open();
    await memory.publish(3);
    const { epoch, check } = memory.channel.top;
    const { reader } = memory.join({ ...memory.channel.top, check: (check ^ 1) >>> 0 });
    await memory.settle();
    expect(memory.channel.top.epoch).not.toBe(epoch);
    expect(reader.lags.map(({ reason }) => reason)).toEqual([RecoveryMiss.EPOCH_CHANGED]);
  });

  test("given a reader in another epoch than the channel, when it joins, then it is told, and goes on at the top", async () => {
    const memory = await MemoryChannel.open();
    await memory.publish(3);
    const { reader } = memory.join({ ...memory.channel.top, epoch: "gone" });
    await memory.settle();
    await memory.publish();
    await memory.settle();
    expect(reader.lags).toEqual([{ reason: RecoveryMiss.EPOCH_CHANGED, missed: 0, after: 3 }]);
    expect(reader.offsets).toEqual([4]);
  });

  test("given a reader ahead of the log, when it joins, then the log gets a new epoch, since it has lost something", async () => {
    const memory = await MemoryChannel.open();
    await memory.publish(3);
    const { epoch } = memory.channel.top;
    const { reader } = memory.join({ ...memory.channel.top, offset: 9, check: 0 });
    await memory.settle();
    expect(memory.channel.top.epoch).not.toBe(epoch);
    expect(reader.lags.map(({ reason }) => reason)).toEqual([RecoveryMiss.EPOCH_CHANGED]);
  });
});

describe("a log that cannot be read", () => {
  test("given a look that fails, when a second has passed, then it is tried again, and the line names the channel", async () => {
    const memory = await MemoryChannel.open({ faults: SILENT });
    const { reader } = memory.join();
    await memory.publish(2);
    let attempts = 0;
    memory.broker.beforeRead = async () => {
      if (++attempts === 1) throw WsError.unavailable("away");
    };
    memory.channel.verify();
    await memory.settle();
    memory.clock.advance(999);
    await memory.settle();
    expect([attempts, reader.offsets]).toEqual([1, []]);
    expect(memory.logger.lines).toMatchObject([
      { level: "warn", event: "channel_sync_failed", fields: { tenant_id: "t1", channel: "room:1" } },
    ]);
    memory.clock.advance(1);
    await memory.settle();
    expect(reader.offsets).toEqual([1, 2]);
  });
});

describe("the end", () => {
  test("given entries that wait, when the channel is closed, then none does, and no notice wakes it", async () => {
    const memory = await MemoryChannel.open({ kind: { flushDelayMs: 1000 } });
    const { reader } = memory.join();
    const timers = memory.clock.pending;
    await memory.publish(2);
    expect(memory.clock.pending).toBe(timers + 1);
    await memory.channel.close();
    expect([memory.load.pendingBytes, memory.clock.pending]).toEqual([0, timers]);
    await memory.publish();
    memory.channel.verify();
    memory.clock.advance(10_000);
    await memory.settle();
    expect([reader.offsets, memory.reads]).toEqual([[], 0]);
  });

  test("given a run that is half handed out, when the channel is closed, then its bytes do not count any more", async () => {
    const memory = await MemoryChannel.open();
    for (let count = 0; count < 40; count++) memory.join();
    await memory.publish();
    expect(memory.channel.step()).toBe(true);
    await memory.publish();
    await memory.channel.close();
    expect(memory.load.pendingBytes).toBe(0);
  });

  test("given a subscription, when it is ended twice, then it lets go of the channel once, and others keep their places", async () => {
    const memory = await MemoryChannel.open();
    const [first, second, third] = [memory.join(), memory.join(), memory.join()];
    memory.channel.end(first);
    memory.channel.end(first);
    expect([memory.released, first.index]).toEqual([1, -1]);
    expect(memory.channel.subscriptions.map(({ index }) => index)).toEqual([0, 1]);
    await memory.publish();
    await memory.settle();
    expect([first, second, third].map(({ reader }) => reader.offsets)).toEqual([[], [1], [1]]);
  });
});
