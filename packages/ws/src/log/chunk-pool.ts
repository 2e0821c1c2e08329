import { capacityFor, LogChunk } from "./log-chunk.ts";

/** Bytes of the smallest chunk, and of the largest that is made for more than one entry. */
const MIN_CHUNK_BYTES = 512;
const MAX_CHUNK_BYTES = 16_384;
/** A chunk has room for so many entries, and for such a share of what its log holds, where the log has as much. */
const CHUNK_ENTRIES = 4;
const CHUNK_SHARE = 1 / 4;
/** A chunk for a frame of more than half of the largest is rounded up to an eighth of that. */
const LARGE_STEPS = 8;
/** Larger chunks are not kept. */
const MAX_POOLED_BYTES = 131_072;
/** What may be kept for the logs to come, where a share of what they hold is less. */
const MIN_FREE_BYTES = 4_194_304;
/** The share of what logs hold that may be kept: logs that fill evenly ask for their next chunks all at once. */
const FREE_SHARE = 1 / 4;

/** The chunks of one size that wait for a log. */
interface Shelf {
  readonly chunks: LogChunk[];
  /** Chunks of this size that logs have asked for since the last `trim`. */
  asked: number;
}

/**
 * The chunks of all logs of a broker. V8 collects its whole heap for every few megabytes of buffers that are made, and
 * for busy channels that was a tenth of all that a publication costs and more. So chunks are written again when their
 * entries are gone; and those by which logs grow are shared memory, which V8 does not count. What is made in place of
 * chunks that were let go it does count, so that it collects those.
 */
export class ChunkPool {
  readonly #maxChunkBytes: number;
  readonly #shelves = new Map<number, Shelf>();
  #freeBytes = 0;
  #lentBytes = 0;
  /** Of the chunks that were let go, those in whose place none was made since. */
  #letGoBytes = 0;

  /** @param maxChunkBytes a bound on chunks for more than one entry, between 512 bytes and 16 KiB */
  constructor(maxChunkBytes: number = MAX_CHUNK_BYTES) {
    let max = MIN_CHUNK_BYTES;
    while (2 * max <= Math.min(maxChunkBytes, MAX_CHUNK_BYTES)) max *= 2;
    this.#maxChunkBytes = max;
  }

  /** Bytes of memory of the chunks that wait for a log. */
  get freeBytes(): number {
    return this.#freeBytes;
  }

  /** A chunk with room for a frame; sized so that a log has few chunks, and little in them that is not used. */
  take(frameBytes: number, logBytes: number): LogChunk {
    const capacity = this.#capacity(capacityFor(frameBytes), logBytes);
    if (capacity > MAX_POOLED_BYTES) return new LogChunk(new ArrayBuffer(capacity));
    const shelf = this.#shelfOf(capacity);
    shelf.asked++;
    const free = shelf.chunks.pop();
    const chunk = free ?? new LogChunk(this.#make(capacity));
    if (free !== undefined) this.#freeBytes -= chunk.memoryBytes;
    this.#lentBytes += chunk.memoryBytes;
    return chunk;
  }

  /** Takes a chunk back whose entries are gone. */
  giveBack(chunk: LogChunk): void {
    const { capacity, memoryBytes } = chunk;
    if (capacity > MAX_POOLED_BYTES) return;
    this.#lentBytes -= memoryBytes;
    if (this.#freeBytes + memoryBytes > Math.max(MIN_FREE_BYTES, this.#lentBytes * FREE_SHARE)) {
      this.#letGoBytes += capacity;
      return;
    }
    this.#shelfOf(capacity).chunks.push(chunk);
    this.#freeBytes += memoryBytes;
  }

  /** Keeps as many chunks of each size as logs have asked for since the last call. */
  trim(): void {
    for (const shelf of this.#shelves.values()) {
      for (const { capacity, memoryBytes } of shelf.chunks.splice(shelf.asked)) {
        this.#freeBytes -= memoryBytes;
        this.#letGoBytes += capacity;
      }
      shelf.asked = 0;
    }
  }

  /** Lets go of all that wait. */
  clear(): void {
    this.#shelves.clear();
    this.#freeBytes = 0;
  }

  #make(capacity: number): ArrayBufferLike {
    if (this.#letGoBytes === 0) return new SharedArrayBuffer(capacity);
    this.#letGoBytes = Math.max(0, this.#letGoBytes - capacity);
    return new ArrayBuffer(capacity);
  }

  #capacity(needed: number, logBytes: number): number {
    const max = this.#maxChunkBytes;
    const step = max / LARGE_STEPS;
    if (needed > max / 2) return Math.ceil(needed / step) * step;
    const wanted = Math.min(logBytes, Math.max(logBytes * CHUNK_SHARE, needed * CHUNK_ENTRIES));
    let capacity = MIN_CHUNK_BYTES;
    while (capacity < max && capacity < Math.max(needed, wanted)) capacity *= 2;
    return capacity;
  }

  #shelfOf(capacity: number): Shelf {
    let shelf = this.#shelves.get(capacity);
    if (shelf === undefined) {
      shelf = { chunks: [], asked: 0 };
      this.#shelves.set(capacity, shelf);
    }
    return shelf;
  }
}
