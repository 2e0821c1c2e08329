import { parseChannelName } from "@pm/core";
import * as fc from "fast-check";
import { expect, test } from "vitest";
import { draft, WHOLE } from "../testing/broker-contract/broker-fixture.ts";
import { ChannelLog } from "./channel-log.ts";
import { ChunkPool } from "./chunk-pool.ts";
import { EvictionQueue } from "./eviction-queue.ts";

const LOGS = 12;

type Step =
  | { readonly kind: "append"; readonly log: number; readonly size: number }
  /** Entries go by their log's own retention. */
  | { readonly kind: "retain"; readonly log: number }
  | { readonly kind: "evict"; readonly sparedTurns: number };

const log = fc.nat({ max: LOGS - 1 });
const size = fc.oneof(fc.nat({ max: 300 }), fc.nat({ max: 12_000 }));
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 6, arbitrary: fc.record({ kind: fc.constant("append" as const), log, size }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("retain" as const), log }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant("evict" as const), sparedTurns: fc.nat({ max: 20 }) }) },
);

test("given any appends and evictions of many logs, when the oldest chunk is evicted, then none was written before it for the last time", () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 200 }), fc.nat({ max: 200 }), (steps, madeAt) => {
      const pool = new ChunkPool();
      const logs = Array.from(
        { length: LOGS },
        (_, n) => new ChannelLog(parseChannelName(`c${n}`), { epoch: "e1", check: 1 }, pool),
      );
      let queue: EvictionQueue | undefined;
      for (const [turn, next] of steps.entries()) {
        if (turn === madeAt) queue = new EvictionQueue(logs);
        const touched = next.kind === "evict" ? undefined : logs[next.log];
        if (next.kind === "append" && touched !== undefined) {
          touched.append(draft("1".repeat(1 + next.size)), { check: 1, publishedAtMs: turn, turn });
          if (touched.count === 1) queue?.add(touched);
        }
        if (next.kind === "retain") touched?.retain({ count: 2, bytes: 1_000_000, ageMs: 1000 }, turn);
        if (next.kind === "evict" && queue !== undefined) assertEvictsOldest(queue, logs, turn - next.sparedTurns);
      }
    }),
  );
});

function assertEvictsOldest(queue: EvictionQueue, logs: readonly ChannelLog[], before: number): void {
  const turns = logs.map((each) => turnsOf(each));
  const memory = sum(logs.map((each) => each.memoryBytes));
  const oldest = Math.min(...logs.map((each) => each.oldestChunkTurn));
  const freed = queue.evictOldest(before);
  expect(freed).toBe(memory - sum(logs.map((each) => each.memoryBytes)));
  expect(freed > 0).toBe(oldest < before);
  const left = logs.map((each) => turnsOf(each));
  const changed = logs.flatMap((_, n) => (left[n]?.length === turns[n]?.length ? [] : [n]));
  expect(changed).toHaveLength(freed > 0 ? 1 : 0);
  for (const n of changed) {
    const evicted = turns[n]?.slice(0, (turns[n]?.length ?? 0) - (left[n]?.length ?? 0));
    expect([...(evicted ?? []), ...(left[n] ?? [])]).toEqual(turns[n]);
    expect(evicted?.at(-1)).toBe(oldest);
  }
}

/** Entries are published at the time of their turn. */
function turnsOf(each: ChannelLog): number[] {
  return each.read(WHOLE).entries.map(({ publishedAtMs }) => publishedAtMs);
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, next) => total + next, 0);
}
