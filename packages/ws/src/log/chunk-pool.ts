import { capacityFor, LogChunk } from "./log-chunk.ts";

/** Bytes of the smallest chunk, and of the largest that has more than one entry. */
const MIN_CHUNK_BYTES = 512;
const MAX_CHUNK_BYTES = 16_384;
/** What is kept for the next log that needs a chunk. */
const MAX_FREE_BYTES = 4_194_304;

/**
 * The chunks of all logs of a broker. They are written again when their entries are gone: V8 collects its whole heap for
 * every ten megabytes of buffers that are made and let go, and for busy channels that was a tenth of all that a
 * publication costs.
 */
export class ChunkPool {
  readonly #free = new Map<number, LogChunk[]>();
  #freeBytes = 0;

  /** Bytes of chunks that wait for a log. */
  get freeBytes(): number {
    return this.#freeBytes;
  }

  /** A chunk with room for a frame; as large as what its log holds, so that a log has few chunks and little unused. */
  take(frameBytes: number, logBytes: number): LogChunk {
    const needed = capacityFor(frameBytes);
    let capacity = MIN_CHUNK_BYTES;
    while (capacity < MAX_CHUNK_BYTES && capacity < Math.max(logBytes, needed)) capacity *= 2;
    // One that is larger than all others has this entry alone.
    if (capacity < needed) return new LogChunk(needed);
    const free = this.#free.get(capacity)?.pop();
    if (free === undefined) return new LogChunk(capacity);
    this.#freeBytes -= capacity;
    return free;
  }

  /** Takes a chunk back whose entries are gone. */
  giveBack(chunk: LogChunk): void {
    const { capacity } = chunk;
    if (capacity > MAX_CHUNK_BYTES || this.#freeBytes + capacity > MAX_FREE_BYTES) return;
    const free = this.#free.get(capacity);
    if (free === undefined) this.#free.set(capacity, [chunk]);
    else free.push(chunk);
    this.#freeBytes += capacity;
  }
}
