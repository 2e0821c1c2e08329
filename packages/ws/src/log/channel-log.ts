import type { ChannelName } from "@pm/core";
import { encodePublication } from "../wire/publication-encoder.ts";
import type { LogEntry, LogPage, PublicationDraft, ReadRequest } from "./broker.ts";
import type { ChunkPool } from "./chunk-pool.ts";
import { type EntryMarks, type LogChunk, MARK_BYTES } from "./log-chunk.ts";
import type { LogMark } from "./stream-position.ts";

/** How much of a channel's log is kept. */
export interface Retention {
  /** Publications; at least 1. */
  readonly count: number;
  /** Bytes, `MARK_BYTES` an entry with them. */
  readonly bytes: number;
  /** Milliseconds. */
  readonly ageMs: number;
}

/** Where a log begins: its epoch, and the tag of offset 0. */
export interface LogStart {
  readonly epoch: string;
  readonly check: number;
}

/** Shared by all that have none: never written to. */
const NO_CHUNKS: LogChunk[] = [];

/**
 * The retained publications of one channel: consecutive offsets, a tag for each, a base below them. They are kept as
 * the bytes that readers are sent. The newest entry is never evicted for count or bytes.
 */
export class ChannelLog {
  #epoch: string;
  readonly channel: ChannelName;
  readonly #pool: ChunkPool;
  /** The chunk that is written to; the last of the chunks. */
  #newest: LogChunk | undefined;
  #chunks: LogChunk[] = NO_CHUNKS;
  /** Of all entries in the chunks, those below the base with them. */
  #chunkBytes = 0;
  #memoryBytes = 0;
  #baseOffset = 0;
  #topOffset = 0;
  #topCheck: number;
  /** The offset of the last entry in the oldest chunk; 0 when it is not known. */
  #oldestChunkEnd = 0;
  /** No entry of the oldest chunk is from before this second; kept here, since every append asks. */
  #notBeforeSecs = 0;

  constructor(channel: ChannelName, start: LogStart, pool: ChunkPool) {
    this.channel = channel;
    this.#epoch = start.epoch;
    this.#topCheck = start.check;
    this.#pool = pool;
  }

  get epoch(): string {
    return this.#epoch;
  }

  get base(): LogMark {
    const chunk = this.#chunks[0];
    const check = chunk === undefined ? this.#topCheck : chunk.checkBefore(this.#oldestIndex(chunk));
    return { offset: this.#baseOffset, check };
  }

  get top(): LogMark {
    return { offset: this.#topOffset, check: this.#topCheck };
  }

  /** The offset of `base`. */
  get baseOffset(): number {
    return this.#baseOffset;
  }

  /** The turn of the youngest entry in the oldest chunk; infinity for an empty log. */
  get oldestChunkTurn(): number {
    const chunk = this.#chunks[0];
    return chunk === undefined ? Number.POSITIVE_INFINITY : chunk.turn(chunk.count - 1);
  }

  /** Entries retained. */
  get count(): number {
    return this.#topOffset - this.#baseOffset;
  }

  /** Bytes of the entries retained, `MARK_BYTES` for each with them. */
  get bytes(): number {
    const chunk = this.#chunks[0];
    return chunk === undefined ? 0 : this.#chunkBytes - chunk.bytesBefore(this.#oldestIndex(chunk));
  }

  /** Bytes of memory that the chunks take in which they are. */
  get memoryBytes(): number {
    return this.#memoryBytes;
  }

  /** Appends; evicts nothing. Copies what it keeps of the draft. */
  append(draft: PublicationDraft, marks: EntryMarks): LogEntry {
    const offset = this.#topOffset + 1;
    const prevCheck = this.#topCheck;
    const { check, publishedAtMs } = marks;
    const frame = encodePublication({
      channel: this.channel,
      offset,
      check,
      payload: draft.payload,
      event: draft.event,
      publisher: draft.publisher,
      publishedAtMs,
      idPrefix: this.#epoch,
      traceParent: draft.traceParent,
    });
    this.#chunkFor(frame.length, marks).push(frame, marks);
    this.#chunkBytes += frame.length + MARK_BYTES;
    this.#topOffset = offset;
    this.#topCheck = check;
    return { offset, check, prevCheck, publishedAtMs, frame };
  }

  /**
   * Evicts what is beyond the retention; returns the bytes of memory that came free. The base moves entry by entry, and
   * memory comes free by the chunk: a log that is full by count does not look at its oldest chunk for each append.
   */
  retain(retention: Retention, nowMs: number): number {
    const before = this.#memoryBytes;
    const kept = Math.max(1, Math.floor(retention.count));
    if (this.count > kept) this.#evictThrough(this.#topOffset - kept);
    // The bytes of the chunks first: they are at hand, and for those of the entries the oldest chunk has to be looked
    // at.
    while (this.count > 1 && this.#chunkBytes > retention.bytes && this.bytes > retention.bytes) {
      this.#evictThrough(this.#baseOffset + 1);
    }
    const oldestMs = nowMs - retention.ageMs;
    while (this.#isOldestBefore(oldestMs)) this.#evictThrough(this.#baseOffset + 1);
    return before - this.#memoryBytes;
  }

  /** Evicts the oldest chunk; returns the bytes of memory that came free, 0 for an empty log. */
  evictChunk(): number {
    const chunk = this.#chunks[0];
    if (chunk === undefined) return 0;
    this.#evictThrough(chunk.lastOffset);
    return chunk.memoryBytes;
  }

  /** Begins anew with nothing in it. Returns the bytes of memory that came free. */
  restart(start: LogStart): number {
    const bytes = this.#memoryBytes;
    this.#evictThrough(this.#topOffset);
    this.#epoch = start.epoch;
    this.#baseOffset = 0;
    this.#topOffset = 0;
    this.#topCheck = start.check;
    this.#oldestChunkEnd = 0;
    return bytes;
  }

  /** Reads a part, as `Broker.read` does. */
  read({ from, direction, maxCount, maxBytes }: ReadRequest): LogPage {
    const isForward = direction === "forward";
    const entries: LogEntry[] = [];
    let bytes = 0;
    let offset = isForward ? Math.max(from, this.#baseOffset) + 1 : Math.min(from - 1, this.#topOffset);
    for (; offset > this.#baseOffset && offset <= this.#topOffset; offset += isForward ? 1 : -1) {
      const chunk = this.#chunkOf(offset);
      bytes += chunk.size(offset - chunk.firstOffset);
      if (entries.length > 0 && (entries.length >= maxCount || bytes > maxBytes)) break;
      entries.push(chunk.entry(offset - chunk.firstOffset));
    }
    return { epoch: this.#epoch, base: this.base, top: this.top, entries };
  }

  /** Moves the base up; chunks that are below it go back. */
  #evictThrough(offset: number): void {
    this.#baseOffset = offset;
    if (offset < this.#oldestChunkEnd) return;
    let chunk = this.#chunks[0];
    while (chunk !== undefined && chunk.lastOffset <= offset) {
      this.#chunks.shift();
      this.#chunkBytes -= chunk.bytesBefore(chunk.count);
      this.#memoryBytes -= chunk.memoryBytes;
      this.#pool.giveBack(chunk);
      chunk = this.#chunks[0];
    }
    if (chunk === undefined) {
      this.#newest = undefined;
      return;
    }
    this.#notBeforeSecs = chunk.startSecs;
    // One that is still written to has no end yet.
    this.#oldestChunkEnd = this.#chunks.length === 1 ? 0 : chunk.lastOffset;
  }

  #isOldestBefore(ms: number): boolean {
    if (this.#notBeforeSecs * 1000 >= ms) return false;
    const chunk = this.#chunks[0];
    return chunk !== undefined && chunk.timeMs(this.#oldestIndex(chunk)) < ms;
  }

  /** Where the oldest entry is in the oldest chunk. */
  #oldestIndex(chunk: LogChunk): number {
    return this.#baseOffset + 1 - chunk.firstOffset;
  }

  #chunkFor(frameBytes: number, marks: EntryMarks): LogChunk {
    const last = this.#newest;
    if (last?.takes(frameBytes, marks) === true) return last;
    const chunk = this.#pool.take(frameBytes, this.#chunkBytes);
    chunk.begin({ firstOffset: this.#topOffset + 1, prevCheck: this.#topCheck }, marks);
    if (this.#chunks.length === 0) {
      this.#chunks = [chunk];
      this.#notBeforeSecs = chunk.startSecs;
    } else {
      this.#chunks.push(chunk);
    }
    this.#memoryBytes += chunk.memoryBytes;
    this.#newest = chunk;
    return chunk;
  }

  #chunkOf(offset: number): LogChunk {
    let low = 0;
    let high = this.#chunks.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if ((this.#chunks[middle]?.firstOffset ?? 0) <= offset) low = middle;
      else high = middle - 1;
    }
    const chunk = this.#chunks[low];
    if (chunk === undefined) throw new RangeError(`offset ${offset} is not retained`);
    return chunk;
  }
}

/** The id of a message: an epoch never gives an offset twice. */
export function messageIdOf(epoch: string, offset: number): string {
  return `${epoch}.${offset}`;
}
