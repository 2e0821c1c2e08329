import { parseChannelName } from "@pm/core";
import * as fc from "fast-check";
import { expect, test } from "vitest";
import { draft, WHOLE } from "../testing/broker-contract/broker-fixture.ts";
import { ChannelLog, type Retention } from "./channel-log.ts";
import { ChunkPool } from "./chunk-pool.ts";
import { MARK_BYTES } from "./log-chunk.ts";
import type { LogMark } from "./stream-position.ts";

/** What is done, and how far the wall clock has gone since the step before: it may be set back. */
interface Step {
  readonly elapsedMs: number;
  readonly deed:
    | { readonly kind: "append"; readonly size: number }
    | { readonly kind: "retain"; readonly retention: Partial<Retention> }
    | { readonly kind: "chunk" };
}

/** What a log has to be. */
interface Model {
  readonly base: LogMark;
  readonly kept: readonly { readonly mark: LogMark; readonly bytes: number; readonly timeMs: number }[];
}

const KEEP_ALL = { count: Number.MAX_SAFE_INTEGER, bytes: Number.MAX_SAFE_INTEGER, ageMs: Number.MAX_SAFE_INTEGER };

const deed: fc.Arbitrary<Step["deed"]> = fc.oneof(
  { weight: 5, arbitrary: fc.record({ kind: fc.constant("append" as const), size: fc.nat({ max: 900 }) }) },
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constant("retain" as const),
      retention: fc.record(
        {
          count: fc.double({ min: 0, max: 12, noNaN: true }),
          bytes: fc.nat({ max: 5000 }),
          ageMs: fc.nat({ max: 60_000 }),
        },
        { requiredKeys: [] },
      ),
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("chunk" as const) }) },
);
const steps = fc.array(fc.record({ elapsedMs: fc.integer({ min: -10_000, max: 20_000 }), deed }), { maxLength: 80 });

/** The model after the oldest entries have gone, so many. */
function without(model: Model, evicted: number): Model {
  return { base: model.kept[evicted - 1]?.mark ?? model.base, kept: model.kept.slice(evicted) };
}

function retained(model: Model, retention: Retention, nowMs: number): Model {
  let left = model;
  const bytes = (): number => left.kept.reduce((sum, entry) => sum + entry.bytes, 0);
  while (left.kept.length > 1 && (left.kept.length > retention.count || bytes() > retention.bytes)) {
    left = without(left, 1);
  }
  while ((left.kept[0]?.timeMs ?? nowMs) < nowMs - retention.ageMs) left = without(left, 1);
  return left;
}

/** Does the same to the log and to the model. */
function take(log: ChannelLog, model: Model, step: { readonly deed: Step["deed"]; readonly nowMs: number }): Model {
  const { deed: next, nowMs } = step;
  if (next.kind === "append") {
    const check = log.top.offset + 1000;
    const { offset, frame } = log.append(draft("x".repeat(next.size)), { check, publishedAtMs: nowMs, turn: check });
    const entry = { mark: { offset, check }, bytes: frame.length + MARK_BYTES, timeMs: nowMs };
    return { base: model.base, kept: [...model.kept, entry] };
  }
  const before = log.memoryBytes;
  if (next.kind === "retain") {
    const retention = { ...KEEP_ALL, ...next.retention };
    expect(log.retain(retention, nowMs)).toBe(before - log.memoryBytes);
    return retained(model, retention, nowMs);
  }
  expect(log.evictChunk()).toBe(before - log.memoryBytes);
  // How many are in a chunk is the log's own affair.
  expect(log.count < model.kept.length || model.kept.length === 0).toBe(true);
  return without(model, model.kept.length - log.count);
}

function assertIs(log: ChannelLog, { base, kept }: Model): void {
  const { entries, ...page } = log.read(WHOLE);
  expect(page).toMatchObject({ base, top: kept.at(-1)?.mark ?? base });
  expect(entries.map(({ offset, check }) => ({ offset, check }))).toEqual(kept.map(({ mark }) => mark));
  expect(entries.map(({ prevCheck }) => prevCheck)).toEqual(
    [base, ...kept.map(({ mark }) => mark)].slice(0, -1).map(({ check }) => check),
  );
  const bytes = kept.reduce((sum, entry) => sum + entry.bytes, 0);
  expect(log).toMatchObject({ base, bytes, count: kept.length });
  expect(log.memoryBytes).toBeGreaterThanOrEqual(bytes);
  expect(log.memoryBytes === 0).toBe(bytes === 0);
  const backward = log.read({ ...WHOLE, from: page.top.offset + 1, direction: "backward" });
  expect(backward.entries.toReversed()).toEqual(entries);
}

test("given any appends and retentions, and a clock that may be set back, when the log is read, then it has what a list would have", () => {
  fc.assert(
    fc.property(steps, (all) => {
      const log = new ChannelLog(parseChannelName("room:1"), { epoch: "e1", check: 1 }, new ChunkPool());
      let model: Model = { base: log.base, kept: [] };
      let nowMs = 1_000_000;
      for (const { elapsedMs, deed: next } of all) {
        nowMs += elapsedMs;
        model = take(log, model, { deed: next, nowMs });
        assertIs(log, model);
      }
    }),
  );
});
