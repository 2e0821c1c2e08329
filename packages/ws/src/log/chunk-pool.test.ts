import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { describe, expect, it } from "vitest";
import { ChunkPool } from "./chunk-pool.ts";
import type { LogChunk } from "./log-chunk.ts";

setFlagsFromString("--expose-gc");
const collectGarbage = runInNewContext("gc") as () => void;

const MIN_FREE = 4_194_304;
const LARGE = 16_384;
/** A large chunk with the objects that stand for it. */
const LARGE_MEMORY = LARGE + 512;

/** As many chunks as told, of one capacity. */
function take(pool: ChunkPool, count: number, capacity: number): LogChunk[] {
  return Array.from({ length: count }, () => pool.take(100, 4 * capacity));
}

function giveBack(pool: ChunkPool, chunks: readonly LogChunk[]): void {
  for (const chunk of chunks) pool.giveBack(chunk);
}

/** Bytes of buffers that V8 counts as made by a call: its heap is collected for them sooner or later. */
function countedBytes(make: () => unknown): number {
  collectGarbage();
  const before = process.memoryUsage().external;
  const kept = make();
  const counted = process.memoryUsage().external - before;
  // The chunks have to be alive up to here.
  expect(kept).toBeDefined();
  return counted;
}

/** How many of the chunks are among others, the very same. */
function countSame(chunks: readonly LogChunk[], others: readonly LogChunk[]): number {
  const known = new Set(others);
  return chunks.filter((chunk) => known.has(chunk)).length;
}

describe("ChunkPool", () => {
  it("given a chunk that came back, when a log needs one of its size, then it is that, and for another size it is not", () => {
    const pool = new ChunkPool();
    const [chunk] = take(pool, 1, LARGE);
    giveBack(pool, chunk === undefined ? [] : [chunk]);
    expect(take(pool, 1, LARGE / 2)[0]).not.toBe(chunk);
    expect(take(pool, 1, LARGE)[0]).toBe(chunk);
    expect(take(pool, 1, LARGE)[0]).not.toBe(chunk);
  });

  it("given nothing that is lent, when more comes back than may wait, then the rest is let go", () => {
    const pool = new ChunkPool();
    giveBack(pool, take(pool, (2 * MIN_FREE) / LARGE, LARGE));
    expect(pool.freeBytes).toBe(Math.floor(MIN_FREE / LARGE_MEMORY) * LARGE_MEMORY);
  });

  it("given logs that hold much, when a sixth of it comes back at once, then all of it waits to be asked for again", () => {
    const pool = new ChunkPool();
    const back = take(pool, 6000, LARGE).slice(0, 1000);
    giveBack(pool, back);
    expect(pool.freeBytes).toBe(1000 * LARGE_MEMORY);
    expect(countSame(take(pool, 1000, LARGE), back)).toBe(1000);
    expect(pool.freeBytes).toBe(0);
  });

  it("given logs that hold much, when half of it comes back at once, then a quarter of what is left waits", () => {
    const pool = new ChunkPool();
    giveBack(pool, take(pool, 6000, LARGE).slice(0, 3000));
    expect(pool.freeBytes).toBeGreaterThan((3000 / 4) * LARGE_MEMORY);
    expect(pool.freeBytes).toBeLessThan((6000 / 4) * LARGE_MEMORY);
  });

  it("given logs that grow, when they need chunks, then V8 counts none of them", () => {
    const pool = new ChunkPool();
    expect(countedBytes(() => take(pool, 1000, LARGE))).toBeLessThan(100 * LARGE);
  });

  it("given chunks that were let go, when others are made, then V8 counts as much, so that it collects the former", () => {
    const pool = new ChunkPool();
    giveBack(pool, take(pool, 1500, LARGE));
    pool.trim();
    pool.trim();
    expect(countedBytes(() => take(pool, 1500, LARGE))).toBeGreaterThan(1400 * LARGE);
    expect(countedBytes(() => take(pool, 1000, LARGE))).toBeLessThan(100 * LARGE);
  });

  it("given a frame of more than is pooled, when it needs a chunk, then V8 counts it", () => {
    const pool = new ChunkPool();
    expect(countedBytes(() => Array.from({ length: 20 }, () => pool.take(1_000_000, 0)))).toBeGreaterThan(19_000_000);
  });

  it("given chunks of a size that nobody asks for any more, when it is trimmed, then those in use have the room", () => {
    const pool = new ChunkPool();
    giveBack(pool, take(pool, MIN_FREE / 1024, 512));
    pool.trim();
    expect(pool.freeBytes).toBe(MIN_FREE);
    pool.trim();
    expect(pool.freeBytes).toBe(0);
    const large = take(pool, 200, LARGE);
    giveBack(pool, large);
    expect(countSame(take(pool, 200, LARGE), large)).toBe(200);
  });

  it("given logs that ask for a chunk now and then, when it is trimmed, then as many wait as they have asked for", () => {
    const pool = new ChunkPool();
    giveBack(pool, take(pool, 100, LARGE));
    pool.trim();
    giveBack(pool, take(pool, 3, LARGE));
    giveBack(pool, take(pool, 2, LARGE));
    pool.trim();
    expect(pool.freeBytes).toBe(5 * LARGE_MEMORY);
  });

  it.each([
    ["half of the largest", 8192, 10_240],
    ["more than the largest", LARGE, 18_432],
    ["a message of 64 KiB", 65_600, 67_584],
  ])(
    "given a frame of %s, when it needs a chunk, then that has hardly more than room for it, and is used again",
    (_, frameBytes, capacity) => {
      const pool = new ChunkPool();
      const chunk = pool.take(frameBytes, 1_000_000);
      expect(chunk.capacity).toBe(capacity);
      pool.giveBack(chunk);
      expect(pool.take(frameBytes, 0)).toBe(chunk);
    },
  );

  it("given a frame of more than 128 KiB, when its chunk comes back, then that is let go", () => {
    const pool = new ChunkPool();
    pool.giveBack(pool.take(131_072, 0));
    expect(pool.freeBytes).toBe(0);
  });

  it.each([
    [0, 512],
    [400, 512],
    [600, 512],
    [10_000, 4096],
    [40_000, 16_384],
    [1_000_000, 16_384],
  ])("given a log of %i bytes, when it needs room for 100 more, then the chunk is of %i", (logBytes, capacity) => {
    expect(new ChunkPool().take(100, logBytes).capacity).toBe(capacity);
  });

  it.each([
    [0, 512],
    [1000, 512],
    [5000, 4096],
    [1_000_000, 16_384],
  ])("given a bound of %i on chunks, when a large log needs one, then it is of %i", (maxChunkBytes, capacity) => {
    expect(new ChunkPool(maxChunkBytes).take(100, 1_000_000).capacity).toBe(capacity);
  });
});
