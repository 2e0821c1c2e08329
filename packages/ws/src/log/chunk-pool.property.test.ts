import * as fc from "fast-check";
import { expect, test } from "vitest";
import { ChunkPool } from "./chunk-pool.ts";
import type { LogChunk } from "./log-chunk.ts";

const MIN_FREE = 4_194_304;
const SLAB = 262_144;

type Step =
  | { readonly kind: "take"; readonly count: number; readonly capacity: number }
  | { readonly kind: "giveBack"; readonly share: number; readonly from: number }
  | { readonly kind: "trim" };

const steps = fc.array(
  fc.oneof(
    {
      weight: 3,
      arbitrary: fc.record({
        kind: fc.constant("take" as const),
        count: fc.integer({ min: 1, max: 600 }),
        capacity: fc.constantFrom(512, 2048, 8192, 16_384),
      }),
    },
    {
      weight: 3,
      arbitrary: fc.record({
        kind: fc.constant("giveBack" as const),
        share: fc.integer({ min: 1, max: 40 }),
        from: fc.nat({ max: 39 }),
      }),
    },
    { weight: 1, arbitrary: fc.constant({ kind: "trim" as const }) },
  ),
  { maxLength: 30 },
);

/** A chunk that is in use, and what was written into it. */
interface Lent {
  readonly chunk: LogChunk;
  readonly number: number;
}

/** All chunks that logs have. */
class Logs {
  readonly #pool = new ChunkPool();
  #lent: Lent[] = [];
  #taken = 0;

  run(step: Step): void {
    switch (step.kind) {
      case "take": {
        const before = this.#pool.freeBytes + this.#lentBytes;
        for (let n = 0; n < step.count; n++) this.#take(step.capacity);
        const { freeBytes } = this.#pool;
        if (freeBytes + this.#lentBytes > before) {
          expect(freeBytes).toBeLessThanOrEqual(Math.max(MIN_FREE, this.#lentBytes / 4) + SLAB);
        }
        return;
      }
      case "giveBack": {
        const goes = ({ number }: Lent): boolean => (number + step.from) % 40 < step.share;
        for (const lent of this.#lent.filter(goes)) this.#pool.giveBack(lent.chunk);
        this.#lent = this.#lent.filter((lent) => !goes(lent));
        return;
      }
      case "trim":
        this.#pool.trim();
        return;
      default:
        step satisfies never;
    }
  }

  /** Every chunk has what was written into it, whatever was taken, moved and given back since. */
  check(): void {
    for (const { chunk, number } of this.#lent) {
      const entry = chunk.entry(0);
      if (entry.check !== number || entry.frame.readUInt32LE(0) !== number) expect({ number, entry }).toBeUndefined();
      if (chunk.slab.bytes.length < chunk.start + chunk.capacity) expect(chunk).toBeUndefined();
    }
    expect(this.#pool.freeBytes).toBeGreaterThanOrEqual(0);
  }

  get #lentBytes(): number {
    return this.#lent.reduce((sum, { chunk }) => sum + chunk.capacity, 0);
  }

  #take(capacity: number): void {
    const chunk = this.#pool.take(100, 4 * capacity);
    const number = ++this.#taken;
    const marks = { check: number, publishedAtMs: 1_000_000, turn: 5000 };
    const frame = Buffer.alloc(chunk.capacity / 2, number);
    frame.writeUInt32LE(number);
    chunk.begin({ firstOffset: 1, prevCheck: 0 }, marks);
    chunk.push(frame, marks);
    this.#lent.push({ chunk, number });
  }
}

test("given any taking and giving back, then no chunk loses what is in it, and what is free is bounded where memory is made", () => {
  fc.assert(
    fc.property(steps, (todo) => {
      const logs = new Logs();
      for (const step of todo) {
        logs.run(step);
        logs.check();
      }
    }),
  );
});
