import { parseChannelName } from "@pm/core";
import * as fc from "fast-check";
import { expect, test } from "vitest";
import { draft, WHOLE } from "../testing/broker-contract/broker-fixture.ts";
import { ChannelLog } from "./channel-log.ts";
import { ChunkPool } from "./chunk-pool.ts";
import { EvictionQueue } from "./eviction-queue.ts";

const LOGS = 12;

type Step =
  | { readonly kind: "append"; readonly log: number }
  /** An entry goes by its log's own retention. */
  | { readonly kind: "retain"; readonly log: number }
  | { readonly kind: "evict"; readonly turns: number };

const log = fc.nat({ max: LOGS - 1 });
const turns = fc.integer({ min: 1, max: 20 });
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 4, arbitrary: fc.record({ kind: fc.constant("append" as const), log }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("retain" as const), log }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant("evict" as const), turns }) },
);

test("given any appends and evictions of many logs, when the oldest are evicted, then just those of the turns asked for go", () => {
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
          touched.append(draft("1"), { check: 1, publishedAtMs: turn, turn });
          if (touched.count === 1) queue?.add(touched);
        }
        if (next.kind === "retain") touched?.evictOldest();
        if (next.kind === "evict" && queue !== undefined) assertEvictsOldest(queue, logs, next.turns);
      }
    }),
  );
});

function assertEvictsOldest(queue: EvictionQueue, logs: readonly ChannelLog[], span: number): void {
  const before = logs.map((each) => turnsOf(each));
  const endTurn = Math.min(...before.flat()) + span;
  const bytes = sum(logs.map((each) => each.bytes));
  const evicted = queue.evictOldest(span);
  expect(logs.map((each) => turnsOf(each))).toEqual(before.map((all) => all.filter((turn) => turn >= endTurn)));
  expect(evicted.entries).toBe(before.flat().filter((turn) => turn < endTurn).length);
  expect(evicted.bytes).toBe(bytes - sum(logs.map((each) => each.bytes)));
}

/** Entries are published at the time of their turn. */
function turnsOf(each: ChannelLog): number[] {
  return each.read(WHOLE).entries.map(({ publishedAtMs }) => publishedAtMs);
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, next) => total + next, 0);
}
