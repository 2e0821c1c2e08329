import { parseChannelName } from "@pm/core";
import * as fc from "fast-check";
import { expect, test } from "vitest";
import { draft, WHOLE } from "../testing/broker-contract/broker-fixture.ts";
import { ChannelLog } from "./channel-log.ts";
import { ChunkPool } from "./chunk-pool.ts";
import { MARK_BYTES } from "./log-chunk.ts";

type Step =
  | { readonly kind: "append"; readonly size: number }
  | { readonly kind: "count"; readonly count: number }
  | { readonly kind: "bytes"; readonly bytes: number }
  | { readonly kind: "age"; readonly ageMs: number }
  | { readonly kind: "chunk" };

const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 5, arbitrary: fc.record({ kind: fc.constant("append" as const), size: fc.nat({ max: 900 }) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("count" as const), count: fc.integer({ min: 1, max: 8 }) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("bytes" as const), bytes: fc.nat({ max: 2000 }) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("age" as const), ageMs: fc.nat({ max: 20 }) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("chunk" as const) }) },
);
const steps = fc.array(step, { maxLength: 60 });

const KEEP_ALL = { count: Number.MAX_SAFE_INTEGER, bytes: Number.MAX_SAFE_INTEGER, ageMs: Number.MAX_SAFE_INTEGER };

function run(log: ChannelLog, next: Step, nowMs: number): void {
  if (next.kind === "append") {
    log.append(draft("x".repeat(next.size)), { check: nowMs + 1, publishedAtMs: nowMs, turn: nowMs });
    return;
  }
  const before = log.memoryBytes;
  if (next.kind === "chunk") {
    expect(log.evictChunk()).toBe(before - log.memoryBytes);
    return;
  }
  const freed = log.retain({ ...KEEP_ALL, ...next }, nowMs);
  expect(freed).toBe(before - log.memoryBytes);
  if (next.kind === "count") expect(log.count).toBeLessThanOrEqual(next.count);
  if (next.kind === "bytes") expect(log.bytes <= next.bytes || log.count <= 1).toBe(true);
}

function assertConsistent(log: ChannelLog): void {
  const { entries, base, top } = log.read(WHOLE);
  let before = base;
  let bytes = 0;
  for (const entry of entries) {
    expect(entry.offset).toBe(before.offset + 1);
    expect(entry.prevCheck).toBe(before.check);
    bytes += entry.frame.length + MARK_BYTES;
    before = { offset: entry.offset, check: entry.check };
  }
  expect(before).toEqual(top);
  expect(log.bytes).toBe(bytes);
  expect(log.memoryBytes).toBeGreaterThanOrEqual(bytes);
  expect(log.memoryBytes === 0).toBe(bytes === 0);
  expect(log.count).toBe(entries.length);
  const backward = log.read({ ...WHOLE, from: top.offset + 1, direction: "backward" });
  expect(backward.entries.toReversed()).toEqual(entries);
}

test("given any appends and retentions, when the log is read, then offsets and tags make one chain from base to top", () => {
  fc.assert(
    fc.property(steps, (all) => {
      const log = new ChannelLog(parseChannelName("room:1"), { epoch: "e1", check: 1 }, new ChunkPool());
      let appended = 0;
      for (const [nowMs, next] of all.entries()) {
        run(log, next, nowMs);
        if (next.kind === "append") appended++;
        expect(log.top.offset).toBe(appended);
      }
      assertConsistent(log);
    }),
  );
});
