import { parseChannelName } from "@pm/core";
import { expect, test } from "vitest";
import { draft } from "../testing/broker-contract/broker-fixture.ts";
import { ChannelLog } from "./channel-log.ts";
import { ChunkPool } from "./chunk-pool.ts";
import { EvictionQueue } from "./eviction-queue.ts";

/** A payload that has a chunk of its own. */
const LARGE = "1".repeat(10_000);
const ALL = Number.POSITIVE_INFINITY;

/**
 * Logs with these letters for names, and an entry of a further turn for each letter, in a chunk of its own if large.
 */
function logsOf(letters: string, payload = LARGE): Record<string, ChannelLog> {
  const logs: Record<string, ChannelLog> = {};
  const pool = new ChunkPool();
  for (const [turn, name] of letters.split("").entries()) {
    logs[name] ??= new ChannelLog(parseChannelName(name), { epoch: "e1", check: 1 }, pool);
    append(logs[name], turn, payload);
  }
  return logs;
}

function append(log: ChannelLog | undefined, turn: number, payload = LARGE): void {
  log?.append(draft(payload), { check: 1, publishedAtMs: 0, turn });
}

/** The names of the logs that lose a chunk, one after the other. */
function evictAll(queue: EvictionQueue, logs: Record<string, ChannelLog>): string {
  let evicted = "";
  const counts = new Map(Object.entries(logs).map(([name, log]) => [name, log.count]));
  while (queue.evictOldest(ALL) > 0) {
    for (const [name, log] of Object.entries(logs)) {
      if (log.count === (counts.get(name) ?? 0)) continue;
      evicted += name;
      counts.set(name, log.count);
    }
  }
  return evicted;
}

test("given chunks of two logs, when the oldest are evicted, then they go in the order of their appends", () => {
  const logs = logsOf("abbab");
  expect(evictAll(new EvictionQueue(Object.values(logs)), logs)).toBe("abbab");
});

test("given no entries, when the oldest is evicted, then nothing comes free", () => {
  expect(new EvictionQueue([]).evictOldest(ALL)).toBe(0);
});

test("given a chunk with an old entry and a young one, when the oldest is evicted, then one that was not written since goes first", () => {
  const logs = logsOf("aba", "1");
  const queue = new EvictionQueue(Object.values(logs));
  append(logs["b"], 3, "1");
  expect(queue.evictOldest(ALL)).toBe(512 + 192);
  expect(logs["a"]?.count).toBe(0);
  expect(logs["b"]?.count).toBe(2);
});

test("given a turn, when what is older is evicted, then a chunk that was written in it or later stays", () => {
  const logs = logsOf("abab");
  const queue = new EvictionQueue(Object.values(logs));
  let evictions = 0;
  while (queue.evictOldest(2) > 0) evictions++;
  expect(evictions).toBe(2);
  expect(Object.values(logs).map(({ oldestChunkTurn }) => oldestChunkTurn)).toEqual([2, 3]);
});

test("given entries that have gone by other ways, when the oldest are evicted, then the others go in their order", () => {
  const logs = logsOf("aabcab");
  const queue = new EvictionQueue(Object.values(logs));
  logs["a"]?.evictChunk();
  logs["a"]?.evictChunk();
  expect(evictAll(queue, logs)).toBe("bcab");
});

test("given a log that was empty, when it is added with its first entry, then that has its turn", () => {
  const logs = logsOf("abc");
  const queue = new EvictionQueue(Object.values(logs));
  while ((logs["a"]?.count ?? 0) > 0) logs["a"]?.evictChunk();
  append(logs["a"], 10);
  const { a } = logs;
  if (a !== undefined) queue.add(a);
  append(logs["b"], 11);
  expect(evictAll(queue, logs)).toBe("bcab");
});

test("given a log whose only entry is evicted, when it gets another one, then it is in the queue once", () => {
  const logs = logsOf("ab");
  const queue = new EvictionQueue(Object.values(logs));
  for (let turn = 2; turn < 50; turn++) {
    expect(queue.evictOldest(ALL)).toBeGreaterThan(0);
    const log = logs[turn % 2 === 0 ? "a" : "b"];
    append(log, turn);
    if (log !== undefined) queue.add(log);
    expect(queue.size).toBe(2);
  }
});
