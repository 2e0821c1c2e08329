import { describe, expect, it } from "vitest";
import { LogChunk } from "./log-chunk.ts";
import { LogSlab } from "./log-slab.ts";

const MARKS = { check: 7, publishedAtMs: 1_000_000, turn: 5000 };

function slabOf(size: number, blockBytes: number): LogSlab {
  const slab = new LogSlab(new ArrayBuffer(size));
  slab.cut(blockBytes);
  return slab;
}

/** As many chunks as fit, each with an entry that is its number. */
function fill(slab: LogSlab, capacity: number): LogChunk[] {
  const chunks: LogChunk[] = [];
  while (!slab.isFull) {
    const chunk = new LogChunk(slab, capacity);
    chunk.begin({ firstOffset: 1, prevCheck: 0 }, MARKS);
    chunk.push(Buffer.alloc(capacity - 16, chunks.length), MARKS);
    chunks.push(chunk);
  }
  return chunks;
}

function numbersIn(chunks: readonly LogChunk[]): (number | undefined)[] {
  return chunks.map((chunk) => {
    const { frame } = chunk.entry(0);
    return frame.every((byte) => byte === frame[0]) ? frame[0] : undefined;
  });
}

describe("LogSlab", () => {
  it("given a slab whose size is no multiple of its blocks, when chunks fill it to the last byte, then none touches another", () => {
    const slab = slabOf(1000, 64);
    expect([slab.size, slab.used, slab.freeBytes]).toEqual([1000, 0, 15 * 64]);
    const chunks = fill(slab, 64);
    expect([slab.used, slab.freeBytes]).toEqual([15, 0]);
    expect(chunks.map(({ start }) => start)).toEqual(Array.from({ length: 15 }, (_, index) => index * 64));
    expect(numbersIn(chunks)).toEqual(Array.from({ length: 15 }, (_, index) => index));
    expect(slab.owners()).toEqual(chunks);
  });

  it("given a full slab, when another block is asked for, then that is an error, and nothing has changed", () => {
    const slab = slabOf(256, 64);
    const chunks = fill(slab, 64);
    expect(() => new LogChunk(slab, 64)).toThrow(RangeError);
    expect(numbersIn(chunks)).toEqual([0, 1, 2, 3]);
  });

  it("given blocks that were taken back, when others are given, then they are these, and the slab may be cut anew", () => {
    const slab = slabOf(256, 64);
    const chunks = fill(slab, 64);
    for (const chunk of chunks.slice(1, 3)) slab.takeBack(chunk);
    expect([slab.used, slab.freeBytes]).toEqual([2, 128]);
    expect(fill(slab, 64).map(({ start }) => start)).toEqual([128, 64]);
    for (const owner of slab.owners()) slab.takeBack(owner);
    slab.cut(128);
    expect(numbersIn(fill(slab, 128))).toEqual([0, 1]);
  });

  it("given a chunk, when it moves to another slab, then it has all that was in it, and is written to there", () => {
    const from = slabOf(256, 64);
    const to = slabOf(256, 64);
    const [first, second] = fill(from, 64);
    fill(to, 64)
      .slice(2)
      .forEach((chunk) => to.takeBack(chunk));
    second?.moveTo(to);
    from.bytes.fill(0xff, 64, 128);
    expect(second).toMatchObject({ slab: to, start: 192, count: 1, firstOffset: 1 });
    expect(second?.check(0)).toBe(7);
    expect(numbersIn([first, second].flatMap((chunk) => chunk ?? []))).toEqual([0, 1]);
    expect([from.used, to.used]).toEqual([3, 3]);
    expect(from.owners()).not.toContain(second);
    expect(to.owners()).toContain(second);
  });
});
