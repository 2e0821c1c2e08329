import { parseChannelName } from "@pm/core";
import { describe, expect, test } from "vitest";
import { draft } from "../testing/broker-contract/broker-fixture.ts";
import type { LogPage } from "./broker.ts";
import { ChannelLog, messageIdOf } from "./channel-log.ts";
import { ChunkPool } from "./chunk-pool.ts";
import { MARK_BYTES } from "./log-chunk.ts";

const ALL = Number.MAX_SAFE_INTEGER;
const START_CHECK = 99;

function emptyLog(): ChannelLog {
  return new ChannelLog(parseChannelName("room:1"), { epoch: "e1", check: START_CHECK }, new ChunkPool());
}

/** Entry `n` has the tag 100 + n and the turn n, and was published at n × 10. */
function filledLog(count: number, json = "1"): ChannelLog {
  const log = emptyLog();
  for (let n = 1; n <= count; n++) log.append(draft(json), { check: 100 + n, publishedAtMs: n * 10, turn: n });
  return log;
}

function offsets(page: LogPage): number[] {
  return page.entries.map(({ offset }) => offset);
}

describe("append", () => {
  test("given a new log, when it is looked at, then base and top are offset 0 with the first tag", () => {
    const log = emptyLog();
    expect(log.base).toEqual({ offset: 0, check: START_CHECK });
    expect(log.top).toEqual({ offset: 0, check: START_CHECK });
    expect(log).toMatchObject({ count: 0, bytes: 0 });
  });

  test("given entries, when they are appended, then each knows the tag of the one before", () => {
    const log = emptyLog();
    const first = log.append(draft("1"), { check: 7, publishedAtMs: 10, turn: 1 });
    const second = log.append(draft("2"), { check: 8, publishedAtMs: 20, turn: 2 });
    expect(first).toMatchObject({ offset: 1, check: 7, prevCheck: START_CHECK, publishedAtMs: 10 });
    expect(second).toMatchObject({ offset: 2, check: 8, prevCheck: 7, publishedAtMs: 20 });
    expect(log.top).toEqual({ offset: 2, check: 8 });
    expect(log.bytes).toBe(first.frame.length + second.frame.length + 2 * MARK_BYTES);
  });

  test("given a draft in bytes of a socket, when they change later, then the log keeps what they were", () => {
    const log = emptyLog();
    const data = Uint8Array.of(1, 2, 3);
    const entry = log.append(draft("", { payload: { kind: "data", data } }), { check: 1, publishedAtMs: 0, turn: 1 });
    const before = entry.frame.toString("hex");
    data.fill(0xff);
    expect(entry.frame.toString("hex")).toBe(before);
  });

  test("given an epoch and an offset, when a message gets its id, then it has both", () => {
    expect(messageIdOf("abc", 12)).toBe("abc.12");
  });
});

describe("retention", () => {
  test("given more entries than are kept, when the log retains, then the oldest go and base moves to the last of them", () => {
    const log = filledLog(20);
    const before = log.memoryBytes;
    const freed = log.retain({ count: 4, bytes: ALL, ageMs: ALL }, 100);
    expect(log.count).toBe(4);
    expect(log.base).toEqual({ offset: 16, check: 116 });
    expect(freed).toBeGreaterThan(0);
    expect(log.memoryBytes).toBe(before - freed);
  });

  test("given more bytes than are kept, when the log retains, then it is within the bytes", () => {
    const log = filledLog(10);
    const bytes = log.bytes / 2;
    log.retain({ count: ALL, bytes, ageMs: ALL }, 100);
    expect(log.bytes).toBeLessThanOrEqual(bytes);
    expect(log.count).toBeGreaterThan(1);
  });

  test("given a bound of exactly what some entries take, when the log retains, then these stay", () => {
    const log = filledLog(9);
    const each = log.bytes / 9;
    log.retain({ count: ALL, bytes: 3 * each, ageMs: ALL }, 100);
    expect([log.count, log.bytes]).toEqual([3, 3 * each]);
    log.retain({ count: ALL, bytes: 3 * each - 1, ageMs: ALL }, 100);
    expect(log.count).toBe(2);
  });

  test("given bounds that allow nothing, when the log retains for count and bytes, then the newest stays", () => {
    const log = filledLog(10);
    log.retain({ count: 1, bytes: 0, ageMs: ALL }, 100);
    expect(offsets(log.read({ from: 0, direction: "forward", maxCount: ALL, maxBytes: ALL }))).toEqual([10]);
  });

  test("given entries of an exact age, when the log retains, then only those beyond it go", () => {
    const log = filledLog(10);
    log.retain({ count: ALL, bytes: ALL, ageMs: 50 }, 100);
    expect(log.base.offset).toBe(4);
  });

  test("given that all are too old, when the log retains, then it is empty and offsets go on", () => {
    const log = filledLog(3);
    log.retain({ count: ALL, bytes: ALL, ageMs: 50 }, 1000);
    expect(log).toMatchObject({ count: 0, bytes: 0 });
    expect(log.base).toEqual(log.top);
    const next = log.append(draft("1"), { check: 5, publishedAtMs: 1000, turn: 4 });
    expect(next).toMatchObject({ offset: 4, prevCheck: 103 });
    expect(log.read({ from: 0, direction: "forward", maxCount: 10, maxBytes: ALL }).entries).toEqual([next]);
  });

  test("given an empty log, when its oldest chunk is evicted, then nothing comes free", () => {
    expect(emptyLog().evictChunk()).toBe(0);
  });

  test("given chunks of several entries, when the oldest is evicted, then all in it go, and the rest stays", () => {
    const log = filledLog(100);
    const before = log.memoryBytes;
    expect(log.evictChunk()).toBe(before - log.memoryBytes);
    expect(log.count).toBeGreaterThan(50);
    expect(log.count).toBeLessThan(99);
    expect(log.base).toEqual({ offset: 100 - log.count, check: 200 - log.count });
    expect(log.top.offset).toBe(100);
    while (log.count > 0) log.evictChunk();
    expect(log).toMatchObject({ bytes: 0, memoryBytes: 0, base: log.top });
  });

  test("given a chunk of which some entries have gone, when it is evicted, then the bytes of the others come free", () => {
    const log = filledLog(5);
    log.retain({ count: 4, bytes: ALL, ageMs: ALL }, 0);
    while (log.count > 0) log.evictChunk();
    expect(log).toMatchObject({ bytes: 0, memoryBytes: 0, base: log.top });
  });
});

describe("restart", () => {
  test("given a log with entries, when it begins anew, then it is as a new one, and its memory comes free", () => {
    const log = filledLog(500, JSON.stringify("x".repeat(1000)));
    log.retain({ count: 300, bytes: ALL, ageMs: ALL }, 0);
    const { memoryBytes } = log;
    expect(log.restart({ epoch: "e2", check: 7 })).toBe(memoryBytes);
    expect(log).toMatchObject({ epoch: "e2", count: 0, bytes: 0, memoryBytes: 0, base: { offset: 0, check: 7 } });
    expect(log.restart({ epoch: "e3", check: 8 })).toBe(0);
    expect(log.append(draft("1"), { check: 9, publishedAtMs: 10, turn: 1 })).toMatchObject({ offset: 1, prevCheck: 8 });
    expect(log.read({ from: 0, direction: "forward", maxCount: ALL, maxBytes: ALL })).toMatchObject({
      epoch: "e3",
      base: { offset: 0 },
      top: { offset: 1, check: 9 },
    });
  });
});

describe("read", () => {
  test("given entries, when they are read forward, then they begin after the offset, up to the count", () => {
    const page = filledLog(10).read({ from: 3, direction: "forward", maxCount: 4, maxBytes: ALL });
    expect(offsets(page)).toEqual([4, 5, 6, 7]);
    expect(page).toMatchObject({ epoch: "e1", base: { offset: 0 }, top: { offset: 10, check: 110 } });
  });

  test("given entries, when they are read backward, then they begin before the offset, up to the count", () => {
    const log = filledLog(10);
    expect(offsets(log.read({ from: 8, direction: "backward", maxCount: 3, maxBytes: ALL }))).toEqual([7, 6, 5]);
    expect(offsets(log.read({ from: ALL, direction: "backward", maxCount: 2, maxBytes: ALL }))).toEqual([10, 9]);
    expect(offsets(log.read({ from: 1, direction: "backward", maxCount: 2, maxBytes: ALL }))).toEqual([]);
  });

  test.each(["forward", "backward"] as const)(
    "given limits below one entry, when it is read %s, then there is one all the same",
    (direction) => {
      const log = filledLog(10);
      const from = direction === "forward" ? 4 : 6;
      expect(offsets(log.read({ from, direction, maxCount: ALL, maxBytes: 1 }))).toEqual([5]);
      expect(offsets(log.read({ from, direction, maxCount: 0, maxBytes: ALL }))).toEqual([5]);
    },
  );

  test("given a bound in bytes, when it is read, then a page does not go over it", () => {
    const log = filledLog(9);
    const one = log.read({ from: 0, direction: "forward", maxCount: 1, maxBytes: ALL }).entries[0];
    const maxBytes = 3 * (one?.frame.length ?? 0);
    expect(offsets(log.read({ from: 0, direction: "forward", maxCount: ALL, maxBytes }))).toEqual([1, 2, 3]);
    expect(offsets(log.read({ from: ALL, direction: "backward", maxCount: ALL, maxBytes }))).toEqual([9, 8, 7]);
  });

  test("given evicted entries, when it is read from below, then it begins at the oldest retained", () => {
    const log = filledLog(10);
    log.retain({ count: 3, bytes: ALL, ageMs: ALL }, 100);
    expect(offsets(log.read({ from: 0, direction: "forward", maxCount: 1, maxBytes: ALL }))).toEqual([8]);
    expect(offsets(log.read({ from: ALL, direction: "backward", maxCount: ALL, maxBytes: ALL }))).toEqual([10, 9, 8]);
  });
});

describe("chunks", () => {
  test("given entries of all sizes, when they are read again, then their frames are those that were appended", () => {
    const log = emptyLog();
    const sizes = [1, 400, 511, 512, 513, 8000, 16_000, 16_384, 40_000, 1, 1];
    const appended = sizes.map((size, turn) =>
      log.append(draft("x".repeat(size)), { check: turn + 1, publishedAtMs: turn, turn }),
    );
    expect(log.read({ from: 0, direction: "forward", maxCount: ALL, maxBytes: ALL }).entries).toEqual(appended);
  });

  test.each([
    ["goes back", [1_000_000, 999_000, 0, 5]],
    ["leaps ahead", [0, 2 ** 32 - 1, 2 ** 32, 2 ** 33, 2 ** 45]],
  ])("given a clock that %s, when entries are read, then they have their times", (_, times) => {
    const log = emptyLog();
    for (const [turn, publishedAtMs] of times.entries()) log.append(draft("1"), { check: 1, publishedAtMs, turn });
    const { entries } = log.read({ from: 0, direction: "forward", maxCount: ALL, maxBytes: ALL });
    expect(entries.map(({ publishedAtMs }) => publishedAtMs)).toEqual(times);
  });

  test("given entries with much between them, when chunks go, then the turn of the youngest in the next is known", () => {
    const turns = [0, 1, 2 ** 32, 2 ** 32 + 1, 2 ** 40];
    const log = emptyLog();
    for (const turn of turns) log.append(draft("1"), { check: 1, publishedAtMs: 0, turn });
    const seen: number[] = [];
    while (log.count > 0) {
      seen.push(log.oldestChunkTurn);
      log.evictChunk();
    }
    expect(seen).toEqual([1, 2 ** 32 + 1, 2 ** 40]);
    expect(log.oldestChunkTurn).toBe(Number.POSITIVE_INFINITY);
  });

  test.each([1, 10, 1000])("given a full log of %i, when it goes on, then it needs no further memory", (count) => {
    const pool = new ChunkPool();
    const log = new ChannelLog(parseChannelName("room:1"), { epoch: "e1", check: START_CHECK }, pool);
    const held: number[] = [];
    for (let n = 1; n <= 10_000; n++) {
      log.append(draft("1"), { check: n, publishedAtMs: 0, turn: n });
      log.retain({ count, bytes: ALL, ageMs: ALL }, 0);
      held.push(log.memoryBytes);
    }
    const { bytes } = log;
    // Twice what is in it, and a chunk that is being written and one that is being evicted, each with its objects.
    const bound = 2 * bytes + 2 * (192 + Math.max(512, Math.min(16_384, 2 * bytes)));
    expect(Math.max(...held.slice(5000))).toBeLessThanOrEqual(bound);
  });

  test("given an entry that was read, when its chunk is written again by another log, then it is what it was", () => {
    const pool = new ChunkPool();
    const [first, second] = ["a", "b"].map(
      (name) => new ChannelLog(parseChannelName(name), { epoch: "e1", check: START_CHECK }, pool),
    );
    for (let n = 1; n <= 1000; n++) first?.append(draft("1"), { check: n, publishedAtMs: 0, turn: n });
    const before = first?.read({ from: 990, direction: "forward", maxCount: 1, maxBytes: ALL }).entries[0];
    const frame = before?.frame.toString("hex");
    const { freeBytes } = pool;
    while (first !== undefined && first.count > 0) first.evictChunk();
    expect(pool.freeBytes).toBeGreaterThan(freeBytes + 10_000);
    for (let n = 1; n <= 1000; n++) second?.append(draft("2"), { check: n, publishedAtMs: 0, turn: n });
    expect(pool.freeBytes).toBe(freeBytes);
    expect(before?.frame.toString("hex")).toBe(frame);
  });
});
