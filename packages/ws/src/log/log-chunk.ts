import type { LogEntry } from "./broker.ts";
import type { BlockOwner, LogSlab } from "./log-slab.ts";

/** What a log keeps of an entry beside its frame. */
export interface EntryMarks {
  /** Its tag. */
  readonly check: number;
  /** Whole milliseconds. */
  readonly publishedAtMs: number;
  /** Counts the appends to all logs of a tenant, so that the oldest of their entries can be told. */
  readonly turn: number;
}

/** Words of 32 bits that are kept for an entry: where its frame ends, its tag, its time, its turn. */
const MARK_WORDS = 4;
const WORD_BYTES = 4;
const MAX_WORD = 0xffff_ffff;
/** Numbers above 2^31 V8 keeps in boxes, one more place to look for each; the start of a block is kept in thousands. */
const THOUSAND = 1000;

/** What an entry takes beside its frame. */
export const MARK_BYTES: number = MARK_WORDS * WORD_BYTES;

/** What a chunk takes beside its block: itself, and its places in lists. Rounded up from a measurement. */
const OBJECT_BYTES = 192;

/**
 * Consecutive entries in a block of memory: their frames from its beginning on, their marks from its end down, times
 * and turns counted from the whole thousand before those of the first. Nothing in it is an object, so that a log of any
 * length costs the garbage collector nothing. What is read is copied: the block may be written again when its entries
 * are gone.
 */
export class LogChunk implements BlockOwner {
  /** The offset of the first entry. */
  firstOffset = 0;
  /** The tag of the entry before the first. */
  prevCheck = 0;
  /** No entry is from before this second. */
  startSecs = 0;
  /** Those of the slab. */
  #bytes: Buffer;
  #words: Uint32Array;
  /** Where its block begins in these bytes. */
  #start: number;
  #startKiloturns = 0;
  #used = 0;
  #count = 0;
  /** Bytes for frames and marks. */
  readonly capacity: number;
  #slab: LogSlab;

  /** @param slab one with a free block of this capacity */
  constructor(slab: LogSlab, capacity: number) {
    this.#slab = slab;
    this.#bytes = slab.bytes;
    this.#words = slab.words;
    this.#start = slab.give(this);
    this.capacity = capacity;
  }

  /** The slab that its block is of. */
  get slab(): LogSlab {
    return this.#slab;
  }

  get start(): number {
    return this.#start;
  }

  /** Bytes of memory that it takes, however many entries are in it. */
  get memoryBytes(): number {
    return this.capacity + OBJECT_BYTES;
  }

  /** Entries. */
  get count(): number {
    return this.#count;
  }

  /** The offset of the last entry. */
  get lastOffset(): number {
    return this.firstOffset + this.#count - 1;
  }

  /** True when an entry can be the next: there is room, and its time and turn are within 2^32 from the start. */
  takes(frameBytes: number, { publishedAtMs, turn }: EntryMarks): boolean {
    if (this.#used + frameBytes + (this.#count + 1) * MARK_BYTES > this.capacity) return false;
    return isWord(publishedAtMs - this.startSecs * THOUSAND) && isWord(turn - this.#startKiloturns * THOUSAND);
  }

  /** Is the chunk of the entries from an offset on. */
  begin(start: { readonly firstOffset: number; readonly prevCheck: number }, first: EntryMarks): void {
    this.firstOffset = start.firstOffset;
    this.prevCheck = start.prevCheck;
    this.startSecs = Math.floor(first.publishedAtMs / THOUSAND);
    this.#startKiloturns = Math.floor(first.turn / THOUSAND);
  }

  moveTo(slab: LogSlab): void {
    const start = slab.give(this);
    slab.bytes.set(this.#bytes.subarray(this.#start, this.#start + this.capacity), start);
    this.#slab.takeBack(this);
    this.#slab = slab;
    this.#bytes = slab.bytes;
    this.#words = slab.words;
    this.#start = start;
  }

  /** Copies a frame that it takes. */
  push(frame: Buffer, { check, publishedAtMs, turn }: EntryMarks): void {
    this.#bytes.set(frame, this.#start + this.#used);
    this.#used += frame.length;
    const at = this.#marksAt(this.#count++);
    this.#words[at] = this.#used;
    this.#words[at + 1] = check;
    this.#words[at + 2] = publishedAtMs - this.startSecs * THOUSAND;
    this.#words[at + 3] = turn - this.#startKiloturns * THOUSAND;
  }

  /** A copy of the entry at an index from 0 to `count` − 1. */
  entry(index: number): LogEntry {
    const size = this.size(index);
    const start = this.#start + this.#startOf(index);
    const frame = Buffer.allocUnsafe(size);
    this.#bytes.copy(frame, 0, start, start + size);
    return {
      offset: this.firstOffset + index,
      check: this.check(index),
      prevCheck: this.checkBefore(index),
      publishedAtMs: this.timeMs(index),
      frame,
    };
  }

  /** Bytes of a frame. */
  size(index: number): number {
    return this.#word(index, 0) - this.#startOf(index);
  }

  /** Bytes of the entries before an index from 0 to `count`, their marks with them. */
  bytesBefore(index: number): number {
    return this.#startOf(index) + index * MARK_BYTES;
  }

  /** The tag of the entry before that at an index from 0 to `count`. */
  checkBefore(index: number): number {
    return index === 0 ? this.prevCheck : this.check(index - 1);
  }

  check(index: number): number {
    return this.#word(index, 1);
  }

  timeMs(index: number): number {
    return this.startSecs * THOUSAND + this.#word(index, 2);
  }

  turn(index: number): number {
    return this.#startKiloturns * THOUSAND + this.#word(index, 3);
  }

  #startOf(index: number): number {
    return index === 0 ? 0 : this.#word(index - 1, 0);
  }

  #word(index: number, word: number): number {
    return this.#words[this.#marksAt(index) + word] ?? 0;
  }

  #marksAt(index: number): number {
    return (this.#start + this.capacity) / WORD_BYTES - (index + 1) * MARK_WORDS;
  }
}

/** Bytes of a block for one frame alone. */
export function capacityFor(frameBytes: number): number {
  return Math.ceil(frameBytes / WORD_BYTES) * WORD_BYTES + MARK_BYTES;
}

function isWord(value: number): boolean {
  return value >= 0 && value <= MAX_WORD;
}
