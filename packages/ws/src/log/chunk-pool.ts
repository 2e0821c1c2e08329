import { capacityFor, LogChunk } from "./log-chunk.ts";

/** Bytes of the first chunk of a log. Each further one is twice as large. */
const FIRST_CHUNK_BYTES = 512;
/** Bytes of a chunk of full size; a larger one has a single entry. */
const FULL_CHUNK_BYTES = 16_384;
/** Chunks that are kept for the next log that needs one: 4 MiB. */
const MAX_FREE_CHUNKS = 256;

/**
 * The chunks of all logs of a process. Those of full size are written again when their entries are gone: V8 collects its
 * whole heap for every few megabytes of buffers that are made and let go, and for busy channels that was a tenth of all
 * that a publication costs.
 */
export class ChunkPool {
  readonly #free: LogChunk[] = [];

  /** Chunks that wait for a log. */
  get freeChunks(): number {
    return this.#free.length;
  }

  /** A chunk with room for a frame; `last` is the one before it in its log. */
  take(frameBytes: number, last: LogChunk | undefined): LogChunk {
    const wanted = last === undefined ? FIRST_CHUNK_BYTES : Math.min(FULL_CHUNK_BYTES, 2 * last.capacity);
    const capacity = Math.max(wanted, capacityFor(frameBytes));
    return (capacity === FULL_CHUNK_BYTES ? this.#free.pop() : undefined) ?? new LogChunk(capacity);
  }

  /** Takes a chunk back whose entries are gone. */
  giveBack(chunk: LogChunk): void {
    if (chunk.capacity === FULL_CHUNK_BYTES && this.#free.length < MAX_FREE_CHUNKS) this.#free.push(chunk);
  }
}
