import { parseChannelName } from "@pm/core";
import { expect, test } from "vitest";
import { draft } from "../testing/broker-contract/broker-fixture.ts";
import { ChannelLog } from "./channel-log.ts";
import { EvictionQueue } from "./eviction-queue.ts";

function makeLog(): ChannelLog {
  return new ChannelLog(parseChannelName("room:1"), "e1", 1);
}

function append(queue: EvictionQueue, log: ChannelLog): void {
  queue.push(log, log.append(draft("1"), { check: 1, publishedAtMs: 0 }).offset);
}

test("given entries of two logs, when the oldest is evicted, then they go in the order of their appends", () => {
  const queue = new EvictionQueue();
  const [a, b] = [makeLog(), makeLog()];
  for (const log of [a, b, b, a, b]) append(queue, log);
  const bases = [1, 2, 3, 4].map(() => {
    expect(queue.evictOldest()).toBeGreaterThan(0);
    return [a.baseOffset, b.baseOffset];
  });
  expect(bases).toEqual([
    [1, 0],
    [1, 1],
    [1, 2],
    [2, 2],
  ]);
});

test("given one entry, when the oldest is evicted, then the newest of all stays", () => {
  const queue = new EvictionQueue();
  const log = makeLog();
  append(queue, log);
  expect(queue.evictOldest()).toBe(0);
  expect(log.count).toBe(1);
  expect(new EvictionQueue().evictOldest()).toBe(0);
});

test("given entries that have gone by other ways, when the oldest is evicted, then they are skipped", () => {
  const queue = new EvictionQueue();
  const [a, b] = [makeLog(), makeLog()];
  for (const log of [a, a, b, b]) append(queue, log);
  a.evictOldest();
  a.evictOldest();
  expect(queue.evictOldest()).toBeGreaterThan(0);
  expect(b.baseOffset).toBe(1);
});

test("given mostly stale entries, when the queue is compacted, then those that live keep their order", () => {
  const queue = new EvictionQueue();
  const [a, b] = [makeLog(), makeLog()];
  for (let i = 0; i < 3000; i++) append(queue, a);
  for (const log of [b, a, b]) append(queue, log);
  while (a.count > 1) a.evictOldest();
  queue.compact(3);
  queue.evictOldest();
  expect([a.count, b.count]).toEqual([1, 1]);
  queue.evictOldest();
  expect([a.count, b.count]).toEqual([0, 1]);
  expect(queue.evictOldest()).toBe(0);
});
