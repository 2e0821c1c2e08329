import type { LogEntry } from "./broker.ts";

/** Bytes of the first chunk of a log, and of the largest. */
const FIRST_CHUNK_BYTES = 512;
const MAX_CHUNK_BYTES = 16_384;
/** Numbers kept for each entry. */
const MARKS = 3;

/**
 * A block of consecutive entries: their bytes one after the other, and for each where it ends, its tag and its time. Two
 * objects for many entries, so that a log of any length costs the garbage collector nothing.
 */
export class LogChunk {
  readonly bytes: Buffer;
  readonly firstOffset: number;
  /** The tag of the entry before the first. */
  readonly prevCheck: number;
  /** For each entry where it ends, its tag and its time: one array, since each further one is a miss of the cache. */
  readonly #marks: number[] = [];
  #used = 0;

  /** @param before the chunk before, which decides how large this one is */
  constructor(start: { readonly firstOffset: number; readonly prevCheck: number }, room: number, before?: LogChunk) {
    const wanted = before === undefined ? FIRST_CHUNK_BYTES : Math.min(MAX_CHUNK_BYTES, 2 * before.bytes.length);
    this.bytes = Buffer.allocUnsafeSlow(Math.max(wanted, room));
    this.firstOffset = start.firstOffset;
    this.prevCheck = start.prevCheck;
  }

  /** Entries. */
  get count(): number {
    return this.#marks.length / MARKS;
  }

  /** Where the next entry is to be written. */
  get used(): number {
    return this.#used;
  }

  hasRoom(bytes: number): boolean {
    return this.#used + bytes <= this.bytes.length;
  }

  /** Takes note of an entry that was written at `used`. */
  push(size: number, check: number, publishedAtMs: number): void {
    this.#used += size;
    this.#marks.push(this.#used, check, publishedAtMs);
  }

  /** The entry at an index from 0 to `count` − 1. */
  entry(index: number): LogEntry {
    const start = this.#startOf(index);
    return {
      offset: this.firstOffset + index,
      check: this.check(index),
      prevCheck: index === 0 ? this.prevCheck : this.check(index - 1),
      publishedAtMs: this.timeMs(index),
      frame: this.bytes.subarray(start, this.#marks[index * MARKS]),
    };
  }

  size(index: number): number {
    return (this.#marks[index * MARKS] ?? 0) - this.#startOf(index);
  }

  check(index: number): number {
    return this.#marks[index * MARKS + 1] ?? 0;
  }

  timeMs(index: number): number {
    return this.#marks[index * MARKS + 2] ?? 0;
  }

  #startOf(index: number): number {
    return index === 0 ? 0 : (this.#marks[(index - 1) * MARKS] ?? 0);
  }
}
