import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { describe, expect, it } from "vitest";
import { ChunkPool } from "./chunk-pool.ts";
import type { LogChunk } from "./log-chunk.ts";
import type { LogSlab } from "./log-slab.ts";

setFlagsFromString("--expose-gc");
const collectGarbage = runInNewContext("gc") as () => void;

const MIN_FREE = 4_194_304;
const LARGE = 16_384;
const SLAB = 262_144;

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

/** How many of the chunks are where others were. */
function countSame(chunks: readonly LogChunk[], others: readonly Place[]): number {
  return places(chunks).filter(({ slab, start }) =>
    others.some((other) => other.slab === slab && other.start === start),
  ).length;
}

interface Place {
  readonly slab: LogSlab;
  readonly start: number;
}

function places(chunks: readonly LogChunk[]): Place[] {
  return chunks.map(({ slab, start }) => ({ slab, start }));
}

/** Writes an entry into each: its tag is the number of the chunk, from 1 on. */
function write(chunks: readonly LogChunk[]): void {
  for (const [index, chunk] of chunks.entries()) {
    const marks = { check: index + 1, publishedAtMs: 1_000_000, turn: 5000 };
    chunk.begin({ firstOffset: 1, prevCheck: 0 }, marks);
    chunk.push(Buffer.from(`entry ${index + 1}`), marks);
  }
}

function read(chunk: LogChunk): string {
  return `${chunk.check(0)}: ${chunk.entry(0).frame.toString()}`;
}

describe("ChunkPool", () => {
  it("given a chunk that came back, when a log needs one of its size, then it has that memory, and for another size it has not", () => {
    const pool = new ChunkPool();
    const chunks = take(pool, 1, LARGE);
    giveBack(pool, [...chunks, ...take(pool, 1, LARGE / 2)]);
    const before = places(chunks);
    expect(countSame(take(pool, 1, LARGE / 2), before)).toBe(0);
    expect(countSame(take(pool, 1, LARGE), before)).toBe(1);
    expect(countSame(take(pool, 1, LARGE), before)).toBe(0);
  });

  it("given nothing that is lent, when more comes back than may wait, then the rest is let go", () => {
    const pool = new ChunkPool();
    giveBack(pool, take(pool, (2 * MIN_FREE) / LARGE, LARGE));
    expect(pool.freeBytes).toBe(MIN_FREE);
  });

  it("given logs that hold much, when a sixth of it comes back at once, then all of it waits to be asked for again", () => {
    const pool = new ChunkPool();
    const back = take(pool, 6000, LARGE).slice(0, 1000);
    const before = places(back);
    giveBack(pool, back);
    expect(pool.freeBytes).toBe(1000 * LARGE);
    expect(countSame(take(pool, 1000, LARGE), before)).toBe(1000);
    expect(pool.freeBytes).toBe(0);
  });

  it("given logs that hold much, when half of it comes back at once, then a quarter of what is left waits", () => {
    const pool = new ChunkPool();
    giveBack(pool, take(pool, 6000, LARGE).slice(0, 3000));
    expect(pool.freeBytes).toBeGreaterThan((3000 / 4) * LARGE);
    expect(pool.freeBytes).toBeLessThan((6000 / 4) * LARGE);
  });

  it("given one chunk left of each slab, when it is trimmed, then they are moved together, and what is in them stays", () => {
    const pool = new ChunkPool();
    const chunks = take(pool, 6400, LARGE / 4);
    const left = chunks.filter((_, index) => index % 64 === 0);
    write(left);
    giveBack(
      pool,
      chunks.filter((_, index) => index % 64 !== 0),
    );
    expect(pool.freeBytes).toBeGreaterThan(5 * MIN_FREE);
    for (let n = 0; n < 25; n++) pool.trim();
    expect(pool.freeBytes).toBeLessThanOrEqual(MIN_FREE);
    expect(left.map(read)).toEqual(left.map((_, index) => `${index + 1}: entry ${index + 1}`));
    expect(new Set(left.map(({ slab }) => slab)).size).toBeLessThan(20);
  });

  it("given one chunk left of each slab, when logs need others of another size, then the free memory does not grow", () => {
    const pool = new ChunkPool();
    const chunks = take(pool, 6400, LARGE / 4);
    giveBack(
      pool,
      chunks.filter((_, index) => index % 64 !== 0),
    );
    const before = pool.freeBytes;
    const others = take(pool, 1600, LARGE);
    expect(pool.freeBytes).toBeLessThan(before / 4);
    expect(others).toHaveLength(1600);
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

  it("given memory of a size that nobody asks for any more, when it is trimmed, then those in use have the room", () => {
    const pool = new ChunkPool();
    giveBack(
      pool,
      Array.from({ length: 50 }, () => pool.take(67_000, 0)),
    );
    pool.trim();
    expect(pool.freeBytes).toBeGreaterThan(MIN_FREE / 2);
    pool.trim();
    expect(pool.freeBytes).toBe(0);
  });

  it("given slabs that came back, when chunks of another size are needed, then they are cut from them", () => {
    const pool = new ChunkPool();
    giveBack(pool, take(pool, MIN_FREE / 1024, 512));
    const { freeBytes } = pool;
    take(pool, freeBytes / LARGE, LARGE);
    expect(pool.freeBytes).toBe(0);
  });

  it("given logs that need a slab now and then, when it is trimmed, then as many wait as they have needed", () => {
    const pool = new ChunkPool();
    giveBack(pool, take(pool, 100, LARGE));
    pool.trim();
    giveBack(pool, take(pool, 20, LARGE));
    pool.trim();
    expect(pool.freeBytes).toBe(2 * SLAB);
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
      const before = places([chunk]);
      pool.giveBack(chunk);
      expect(countSame([pool.take(frameBytes, 0)], before)).toBe(1);
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
