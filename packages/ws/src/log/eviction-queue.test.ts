import { parseChannelName } from "@pm/core";
import { expect, test } from "vitest";
import { draft } from "../testing/broker-contract/broker-fixture.ts";
import { ChannelLog } from "./channel-log.ts";
import { ChunkPool } from "./chunk-pool.ts";
import { EvictionQueue } from "./eviction-queue.ts";

/** Logs with these letters for names, and an entry of a further turn for each letter. */
function logsOf(letters: string): Record<string, ChannelLog> {
  const logs: Record<string, ChannelLog> = {};
  const pool = new ChunkPool();
  for (const [turn, name] of letters.split("").entries()) {
    logs[name] ??= new ChannelLog(parseChannelName(name), { epoch: "e1", check: 1 }, pool);
    append(logs[name], turn);
  }
  return logs;
}

function append(log: ChannelLog | undefined, turn: number): void {
  log?.append(draft("1"), { check: 1, publishedAtMs: 0, turn });
}

/** The names of the logs that lose an entry, one after the other. */
function evictAll(queue: EvictionQueue, logs: Record<string, ChannelLog>): string {
  let evicted = "";
  const counts = new Map(Object.entries(logs).map(([name, log]) => [name, log.count]));
  while (queue.evictOldest(1).entries > 0) {
    for (const [name, log] of Object.entries(logs)) {
      if (log.count === (counts.get(name) ?? 0)) continue;
      evicted += name;
      counts.set(name, log.count);
    }
  }
  return evicted;
}

test("given entries of two logs, when the oldest are evicted, then they go in the order of their appends", () => {
  const logs = logsOf("abbab");
  expect(evictAll(new EvictionQueue(Object.values(logs)), logs)).toBe("abbab");
});

test("given no entries, when the oldest is evicted, then nothing comes free", () => {
  expect(new EvictionQueue([]).evictOldest(1)).toEqual({ entries: 0, bytes: 0 });
});

test("given entries of two logs, when those of some turns are evicted, then the younger ones of both stay", () => {
  const logs = logsOf("abbaabab");
  expect(new EvictionQueue(Object.values(logs)).evictOldest(5).entries).toBe(5);
  expect(logs["a"]?.oldestTurn).toBe(6);
  expect(logs["b"]?.oldestTurn).toBe(5);
});

test("given entries that have gone by other ways, when the oldest are evicted, then the others go in their order", () => {
  const logs = logsOf("aabcab");
  const queue = new EvictionQueue(Object.values(logs));
  logs["a"]?.evictOldest();
  logs["a"]?.evictOldest();
  expect(evictAll(queue, logs)).toBe("bcab");
});

test("given a log that was empty, when it is added with its first entry, then that has its turn", () => {
  const logs = logsOf("abc");
  const queue = new EvictionQueue(Object.values(logs));
  while ((logs["a"]?.count ?? 0) > 0) logs["a"]?.evictOldest();
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
    expect(queue.evictOldest(1).entries).toBe(1);
    const log = logs[turn % 2 === 0 ? "a" : "b"];
    append(log, turn);
    if (log !== undefined) queue.add(log);
    expect(queue.size).toBe(2);
  }
});
