import { describe, expect, test } from "vitest";
import { MemoryChannel } from "../../test/support/memory-channel.ts";
import { WHOLE } from "../testing/broker-contract/broker-fixture.ts";
import type { LagPolicy } from "../channel-kinds.ts";
import { Run } from "./run.ts";
import type { Subscription } from "./subscription.ts";

const SILENT = { dropNotices: 1 };
const FULL_BYTES = 2000;

/** A channel that hears nothing by itself, with a log of `count` entries. */
async function silentChannel(count: number, lagPolicy: LagPolicy = "recover"): Promise<MemoryChannel> {
  const memory = await MemoryChannel.open({ kind: { lagPolicy }, faults: SILENT });
  await memory.publish(count);
  return memory;
}

async function runOf(memory: MemoryChannel, first: number, last: number): Promise<Run> {
  const { epoch, entries } = await memory.hostile.peek(memory.ref);
  return new Run(epoch, entries.slice(first - 1, last));
}

/** Its place, without the tag. */
function placeOf({
  next,
  isCatchingUp,
  maySkip,
}: Subscription): Pick<Subscription, "next" | "isCatchingUp" | "maySkip"> {
  return { next, isCatchingUp, maySkip };
}

describe("a run offered to a subscription", () => {
  test("given a run that begins at what it needs, when it is offered, then it is taken whole, with the position of its end", async () => {
    const memory = await silentChannel(3);
    const subscription = memory.join();
    subscription.offer(await runOf(memory, 1, 3));
    subscription.reader.outbox.flush();
    const { top, epoch } = await memory.broker.read(memory.ref, WHOLE);
    expect(subscription.reader.offsets).toEqual([1, 2, 3]);
    expect(subscription.position).toEqual({ epoch, ...top });
  });

  test("given a run that it has seen, when it is offered, then nothing comes and it stays live where it is", async () => {
    const memory = await silentChannel(3);
    const subscription = memory.join();
    subscription.offer(await runOf(memory, 1, 3));
    const before = subscription.position;
    subscription.offer(await runOf(memory, 1, 3));
    subscription.offer(await runOf(memory, 1, 2));
    subscription.reader.outbox.flush();
    expect(subscription.reader.offsets).toEqual([1, 2, 3]);
    expect(subscription.position).toEqual(before);
    expect(subscription.isCatchingUp).toBe(false);
  });

  test("given a run that it has seen a part of, when it is offered, then the rest of it comes", async () => {
    const memory = await silentChannel(5);
    const subscription = memory.join();
    subscription.offer(await runOf(memory, 1, 3));
    subscription.offer(await runOf(memory, 2, 5));
    subscription.reader.outbox.flush();
    expect(subscription.reader.offsets).toEqual([1, 2, 3, 4, 5]);
    expect(subscription.next).toBe(6);
  });

  test("given a run behind a gap, when it is offered, then nothing of it comes before the log was read", async () => {
    const memory = await silentChannel(4);
    const subscription = memory.join();
    subscription.offer(await runOf(memory, 3, 3));
    subscription.reader.outbox.flush();
    expect(subscription.reader.offsets).toEqual([]);
    expect(placeOf(subscription)).toEqual({ next: 1, isCatchingUp: true, maySkip: false });
    await memory.settle();
    expect(subscription.reader.offsets).toEqual([1, 2, 3, 4]);
    expect(subscription.reader.lags).toEqual([]);
  });

  test("given a subscription that catches up, when the very run that it needs is offered, then it leaves it to the log", async () => {
    const memory = await silentChannel(4);
    const subscription = memory.join();
    subscription.offer(await runOf(memory, 3, 3));
    subscription.offer(await runOf(memory, 1, 4));
    subscription.reader.outbox.flush();
    expect(subscription.reader.offsets).toEqual([]);
    await memory.settle();
    expect(subscription.reader.offsets).toEqual([1, 2, 3, 4]);
  });

  test("given a run of another epoch, when it is offered, then it is not taken though its offsets would fit", async () => {
    const memory = await silentChannel(0);
    const subscription = memory.join();
    const { epoch } = memory.channel.top;
    await memory.publish(2);
    const { entries } = await memory.hostile.peek(memory.ref);
    subscription.offer(new Run(`not ${epoch}`, entries));
    subscription.reader.outbox.flush();
    expect(subscription.reader.offsets).toEqual([]);
    expect(placeOf(subscription)).toEqual({ next: 1, isCatchingUp: true, maySkip: false });
  });
});

test("given a run of another epoch, when it is offered to one who has more than that, then it reads the log", async () => {
  const memory = await silentChannel(3);
  const subscription = memory.join();
  subscription.offer(await runOf(memory, 1, 3));
  const { entries } = await memory.hostile.peek(memory.ref);
  subscription.offer(new Run("another", entries.slice(0, 1)));
  expect(placeOf(subscription)).toEqual({ next: 4, isCatchingUp: true, maySkip: false });
});

describe("a run of a log that has lost its tail", () => {
  /** A reader of two entries of a log that has then lost the second, and got two others. */
  async function forked(): Promise<[MemoryChannel, ReturnType<MemoryChannel["join"]>]> {
    const memory = await silentChannel(2);
    const subscription = memory.join();
    subscription.offer(await runOf(memory, 1, 2));
    await memory.hostile.loseTail(memory.ref, 1);
    await memory.publish(2);
    return [memory, subscription];
  }

  test.each([
    ["begins at what it needs", 3],
    ["has another entry where it has one", 2],
    ["begins before both", 1],
  ])("given one that %s, when it is offered, then nothing of it comes, and the reader is told", async (_, first) => {
    const [memory, subscription] = await forked();
    const { epoch } = memory.channel.top;
    subscription.offer(await runOf(memory, first, 3));
    subscription.reader.outbox.flush();
    expect(subscription.reader.offsets).toEqual([1, 2]);
    await memory.settle();
    expect(subscription.reader.offsets).toEqual([1, 2]);
    expect(subscription.reader.lags).toHaveLength(1);
    expect(subscription.epoch).not.toBe(epoch);
  });

  test("given a reader that knows no tag, when one is offered that fits by its offset, then it is taken", async () => {
    const [memory] = await forked();
    const subscription = memory.join(memory.origin);
    subscription.offer(await runOf(memory, 1, 3));
    subscription.reader.outbox.flush();
    expect(subscription.reader.offsets).toEqual([1, 2, 3]);
  });
});

describe("a run offered to a subscription whose socket is full", () => {
  async function stuck(lagPolicy: LagPolicy): Promise<[MemoryChannel, ReturnType<MemoryChannel["join"]>]> {
    const memory = await silentChannel(3, lagPolicy);
    const subscription = memory.join();
    subscription.reader.isStuck = true;
    subscription.reader.writableLength = FULL_BYTES;
    return [memory, subscription];
  }

  test("given the policy to recover, when a run is offered, then it keeps its place and reads all when it can", async () => {
    const [memory, subscription] = await stuck("recover");
    subscription.offer(await runOf(memory, 1, 3));
    expect(placeOf(subscription)).toEqual({ next: 1, isCatchingUp: true, maySkip: false });
    await memory.settle();
    expect([subscription.reader.offsets, memory.reads]).toEqual([[], 0]);
    subscription.reader.drain();
    await memory.settle();
    expect([subscription.reader.offsets, subscription.reader.tooSlow]).toEqual([[1, 2, 3], 0]);
  });

  test("given the policy of the newest, when a run is offered, then it may skip, and is told what it skipped", async () => {
    const [memory, subscription] = await stuck("latest");
    subscription.offer(await runOf(memory, 1, 3));
    expect(placeOf(subscription)).toEqual({ next: 1, isCatchingUp: true, maySkip: true });
    subscription.reader.drain();
    await memory.settle();
    expect(subscription.reader.offsets).toEqual([3]);
    expect(subscription.reader.lags).toMatchObject([{ missed: 2, after: 2 }]);
    expect(subscription.maySkip).toBe(false);
  });

  test("given the policy to disconnect, when a run is offered, then its connection is too slow and reads no log", async () => {
    const [memory, subscription] = await stuck("disconnect");
    subscription.offer(await runOf(memory, 1, 3));
    expect(placeOf(subscription)).toEqual({ next: 1, isCatchingUp: false, maySkip: false });
    expect(subscription.reader.tooSlow).toBe(1);
    await memory.settle();
    expect([subscription.reader.offsets, memory.reads]).toEqual([[], 0]);
  });

  test.each(["recover", "latest", "disconnect"] as const)(
    "given the policy %s, when a run that it has seen is offered, then nothing happens to it",
    async (lagPolicy) => {
      const [memory, subscription] = await stuck(lagPolicy);
      const { top, epoch } = await memory.hostile.peek(memory.ref);
      subscription.moveTo({ epoch, ...top });
      subscription.offer(await runOf(memory, 1, 3));
      expect(placeOf(subscription)).toEqual({ next: 4, isCatchingUp: false, maySkip: false });
      expect(subscription.reader.tooSlow).toBe(0);
    },
  );
});
