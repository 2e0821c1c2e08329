import { beforeEach, describe, expect, it } from "vitest";
import { PublicationQueue } from "./publication-queue.ts";

describe("PublicationQueue", () => {
  let told: unknown[];
  let queue: PublicationQueue<number>;

  beforeEach(() => {
    told = [];
    queue = new PublicationQueue({
      maxItems: 4,
      onFull: () => told.push("full"),
      onDrained: () => told.push("drained"),
      onReturn: (end) => told.push(end),
    });
  });

  it("given a full queue, when more comes all the same, then that it is full is told once", () => {
    for (const item of [1, 2, 3, 4, 5]) queue.push(item);
    expect([told, queue.isFull]).toEqual([["full"], true]);
  });

  it("given a full queue, when items are taken, then it is drained when a quarter is left", async () => {
    for (const item of [1, 2, 3, 4]) queue.push(item);
    await queue.next();
    await queue.next();
    expect(told).toEqual(["full"]);
    await queue.next();
    expect([told, queue.isFull]).toEqual([["full", "drained"], false]);
  });

  it("given a loop that waits, when it gets an item and ends, then that is the last that it took, and nothing is left", async () => {
    const waiting = queue.next();
    queue.push(1);
    expect(await waiting).toEqual({ done: false, value: 1 });
    await queue.return();
    expect(told).toEqual([{ taken: 1, hasRest: false }]);
  });

  it("given items that wait, when the loop ends, then they are dropped, and whoever waits for more hears of the end", async () => {
    for (const item of [1, 2]) queue.push(item);
    await queue.next();
    await queue.return();
    expect(told).toEqual([{ taken: 1, hasRest: true }]);
    queue.push(3);
    expect(await queue.next()).toEqual({ done: true, value: undefined });
  });

  it("given two that wait, when it finishes with an error, then the first gets it, the others the end, and later ones change nothing", async () => {
    const waiting = [queue.next(), queue.next()];
    queue.finish(new Error("mine"));
    queue.finish(new Error("another"));
    const [first, second] = await Promise.allSettled(waiting);
    expect(first).toMatchObject({ status: "rejected", reason: { message: "mine" } });
    expect(second).toEqual({ status: "fulfilled", value: { done: true, value: undefined } });
  });

  it("given items that wait, when it finishes twice, then they are taken, and what ended it first is thrown", async () => {
    queue.push(1);
    queue.finish(new Error("mine"));
    queue.finish(new Error("another"));
    expect(await queue.next()).toEqual({ done: false, value: 1 });
    await expect(queue.next()).rejects.toThrow("mine");
    expect(await queue.next()).toEqual({ done: true, value: undefined });
  });
});
