import type { LogEntry } from "./broker.ts";

/** What a chunk is told of an entry beside its frame. */
export interface EntryMarks {
  readonly check: number;
  readonly publishedAtMs: number;
  /** When it was appended among all entries of its tenant; see `ChannelLog.oldestTurn`. */
  readonly turn: number;
}

/** Numbers kept for each entry. */
const MARKS = 4;

/**
 * A block of consecutive entries: their frames one after the other, and for each where it ends, its tag, its time and its
 * turn. Two objects for many entries, so that a log of any length costs the garbage collector little. What is read is
 * copied: the block may be written again when its entries are gone.
 */
export class LogChunk {
  /** The offset of the first entry. */
  firstOffset = 0;
  /** The tag of the entry before the first. */
  prevCheck = 0;
  readonly #bytes: Buffer;
  /** Four for each entry, in one array, since each further one is a miss of the cache. Those past `count` are old. */
  readonly #marks: number[] = [];
  #used = 0;
  #count = 0;

  constructor(capacity: number) {
    this.#bytes = Buffer.allocUnsafeSlow(capacity);
  }

  /** Bytes for frames. */
  get capacity(): number {
    return this.#bytes.length;
  }

  /** Entries. */
  get count(): number {
    return this.#count;
  }

  hasRoom(bytes: number): boolean {
    return this.#used + bytes <= this.#bytes.length;
  }

  /** Forgets what is in it, and is the block of the entries from an offset on. */
  begin(firstOffset: number, prevCheck: number): void {
    this.firstOffset = firstOffset;
    this.prevCheck = prevCheck;
    this.#used = 0;
    this.#count = 0;
  }

  /** Copies a frame for which there is room. */
  push(frame: Buffer, { check, publishedAtMs, turn }: EntryMarks): void {
    this.#bytes.set(frame, this.#used);
    this.#used += frame.length;
    const at = this.#count++ * MARKS;
    this.#marks[at] = this.#used;
    this.#marks[at + 1] = check;
    this.#marks[at + 2] = publishedAtMs;
    this.#marks[at + 3] = turn;
  }

  /** A copy of the entry at an index from 0 to `count` − 1. */
  entry(index: number): LogEntry {
    const size = this.size(index);
    const start = this.#startOf(index);
    const frame = Buffer.allocUnsafe(size);
    this.#bytes.copy(frame, 0, start, start + size);
    return {
      offset: this.firstOffset + index,
      check: this.check(index),
      prevCheck: index === 0 ? this.prevCheck : this.check(index - 1),
      publishedAtMs: this.timeMs(index),
      frame,
    };
  }

  /** Bytes of a frame. */
  size(index: number): number {
    return (this.#marks[index * MARKS] ?? 0) - this.#startOf(index);
  }

  check(index: number): number {
    return this.#marks[index * MARKS + 1] ?? 0;
  }

  timeMs(index: number): number {
    return this.#marks[index * MARKS + 2] ?? 0;
  }

  turn(index: number): number {
    return this.#marks[index * MARKS + 3] ?? 0;
  }

  #startOf(index: number): number {
    return index === 0 ? 0 : (this.#marks[(index - 1) * MARKS] ?? 0);
  }
}
