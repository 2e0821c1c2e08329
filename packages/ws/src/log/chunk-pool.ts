import { capacityFor, LogChunk } from "./log-chunk.ts";

/** Bytes of the smallest chunk, and of the largest that has more than one entry. */
const MIN_CHUNK_BYTES = 512;
const MAX_CHUNK_BYTES = 16_384;
/** A chunk has room for so many entries, and for such a share of what its log holds, where the log has as much. */
const CHUNK_ENTRIES = 4;
const CHUNK_SHARE = 1 / 4;
/** A chunk for one large frame alone is a multiple of this, and waits for the next one up to this size. */
const LARGE_STEP_BYTES = 2048;
const MAX_POOLED_BYTES = 131_072;
/** What may be kept for the logs to come, where a share of what they hold is less. */
const MIN_FREE_BYTES = 4_194_304;
/** The share of what logs hold that may be kept: logs that fill evenly ask for their next chunks all at once. */
const FREE_SHARE = 1 / 4;

/** The chunks of one size that wait for a log. */
interface Shelf {
  chunks: LogChunk[];
  /** Chunks of this size that logs have asked for since the last `trim`. */
  asked: number;
}

/**
 * The chunks of all logs of a broker. They are written again when their entries are gone: V8 collects its whole heap for
 * every few megabytes of buffers that are made and let go, and for busy channels that was a tenth of all that a
 * publication costs.
 */
export class ChunkPool {
  readonly #shelves = new Map<number, Shelf>();
  #freeBytes = 0;
  #lentBytes = 0;

  /** Bytes of chunks that wait for a log. */
  get freeBytes(): number {
    return this.#freeBytes;
  }

  /** A chunk with room for a frame; sized so that a log has few chunks, and little in them that is not used. */
  take(frameBytes: number, logBytes: number): LogChunk {
    const capacity = chunkCapacity(capacityFor(frameBytes), logBytes);
    if (capacity > MAX_POOLED_BYTES) return new LogChunk(capacity);
    const shelf = this.#shelfOf(capacity);
    shelf.asked++;
    this.#lentBytes += capacity;
    const free = shelf.chunks.pop();
    if (free === undefined) return new LogChunk(capacity);
    this.#freeBytes -= capacity;
    return free;
  }

  /** Takes a chunk back whose entries are gone. */
  giveBack(chunk: LogChunk): void {
    const { capacity } = chunk;
    if (capacity > MAX_POOLED_BYTES) return;
    this.#lentBytes -= capacity;
    if (this.#freeBytes + capacity > Math.max(MIN_FREE_BYTES, this.#lentBytes * FREE_SHARE)) return;
    this.#shelfOf(capacity).chunks.push(chunk);
    this.#freeBytes += capacity;
  }

  /** Keeps as many chunks of each size as logs have asked for since the last call. */
  trim(): void {
    for (const [capacity, shelf] of this.#shelves) {
      this.#freeBytes -= capacity * Math.max(0, shelf.chunks.length - shelf.asked);
      shelf.chunks = shelf.chunks.slice(0, shelf.asked);
      shelf.asked = 0;
    }
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

function chunkCapacity(needed: number, logBytes: number): number {
  if (needed > MAX_CHUNK_BYTES / 2) return Math.ceil(needed / LARGE_STEP_BYTES) * LARGE_STEP_BYTES;
  const wanted = Math.min(logBytes, Math.max(logBytes * CHUNK_SHARE, needed * CHUNK_ENTRIES));
  let capacity = MIN_CHUNK_BYTES;
  while (capacity < MAX_CHUNK_BYTES && capacity < Math.max(needed, wanted)) capacity *= 2;
  return capacity;
}
