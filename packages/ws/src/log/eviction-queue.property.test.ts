import { parseChannelName } from "@pm/core";
import * as fc from "fast-check";
import { expect, test } from "vitest";
import { draft } from "../testing/broker-contract/broker-fixture.ts";
import { ChannelLog } from "./channel-log.ts";
import { ChunkPool } from "./chunk-pool.ts";
import { EvictionQueue } from "./eviction-queue.ts";

const LOGS = 12;

type Step =
  | { readonly kind: "append"; readonly log: number }
  /** An entry goes by its log's own retention. */
  | { readonly kind: "retain"; readonly log: number }
  | { readonly kind: "evict" };

const log = fc.nat({ max: LOGS - 1 });
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 4, arbitrary: fc.record({ kind: fc.constant("append" as const), log }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("retain" as const), log }) },
  { weight: 2, arbitrary: fc.constant({ kind: "evict" as const }) },
);

test("given any appends and evictions of many logs, when the oldest is evicted, then no log has an older entry", () => {
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
          touched.append(draft("1"), { check: 1, publishedAtMs: 0, turn });
          if (touched.count === 1) queue?.add(touched);
        }
        if (next.kind === "retain") touched?.evictOldest();
        if (next.kind === "evict" && queue !== undefined) assertEvictsOldest(queue, logs);
      }
    }),
  );
});

function assertEvictsOldest(queue: EvictionQueue, logs: readonly ChannelLog[]): void {
  const oldest = Math.min(...logs.map(({ oldestTurn }) => oldestTurn));
  const owner = logs.find(({ oldestTurn, count }) => count > 0 && oldestTurn === oldest);
  const before = logs.map(({ count }) => count);
  const freed = queue.evictOldest();
  expect(freed > 0).toBe(owner !== undefined);
  expect(logs.map(({ count }) => count)).toEqual(
    before.map((count, index) => (logs[index] === owner ? count - 1 : count)),
  );
}
