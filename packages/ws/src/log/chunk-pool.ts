import { capacityFor, LogChunk } from "./log-chunk.ts";
import { LogSlab } from "./log-slab.ts";

/** Bytes of the smallest chunk, and of the largest that is made for more than one entry. */
const MIN_CHUNK_BYTES = 512;
const MAX_CHUNK_BYTES = 16_384;
/** A chunk has room for so many entries, and for such a share of what its log holds, where the log has as much. */
const CHUNK_ENTRIES = 4;
const CHUNK_SHARE = 1 / 4;
/** A chunk for a frame of more than half of the largest is rounded up to an eighth of that. */
const LARGE_STEPS = 8;
/** Chunks up to the largest are cut from slabs of this size; one for a larger frame is a slab of its own. */
const SLAB_BYTES = 262_144;
/** Larger ones are not kept. */
const MAX_POOLED_BYTES = 131_072;
/** What may be free for the logs to come, where a share of what they hold is less. */
const MIN_FREE_BYTES = 4_194_304;
/** The share of what logs hold that may be free: logs that fill evenly ask for their next chunks all at once. */
const FREE_SHARE = 1 / 4;
/** Slabs that one `trim` empties at the most, which is a megabyte to move. */
const EMPTIED_A_TRIM = 4;

/** The slabs of one size that are not in use. */
interface Shelf {
  readonly slabs: LogSlab[];
  /** Slabs of this size that were needed since the last `trim`. */
  asked: number;
}

/**
 * The memory of all logs of a broker. V8 collects its whole heap for every few megabytes of buffers that are made, and
 * for busy channels that was a tenth of all that a publication costs and more. So memory is written again when the
 * entries in it are gone; and that by which logs grow is shared memory, which V8 does not count. What is made in place
 * of memory that was let go it does count, so that it collects that.
 */
export class ChunkPool {
  readonly #maxChunkBytes: number;
  /** Slabs with blocks in use and others that are free, by the size of their blocks. */
  readonly #open = new Map<number, LogSlab[]>();
  readonly #shelves = new Map<number, Shelf>();
  /** Of all slabs, and of the chunks in them. */
  #slabBytes = 0;
  #lentBytes = 0;
  /** Of the slabs that were let go, those in whose place none was made since. */
  #letGoBytes = 0;

  /** @param maxChunkBytes a bound on chunks for more than one entry, between 512 bytes and 16 KiB */
  constructor(maxChunkBytes: number = MAX_CHUNK_BYTES) {
    let max = MIN_CHUNK_BYTES;
    while (2 * max <= Math.min(maxChunkBytes, MAX_CHUNK_BYTES)) max *= 2;
    this.#maxChunkBytes = max;
  }

  /** Bytes of memory that wait for entries to come. */
  get freeBytes(): number {
    return this.#slabBytes - this.#lentBytes;
  }

  /** A chunk with room for a frame; sized so that a log has few chunks, and little in them that is not used. */
  take(frameBytes: number, logBytes: number): LogChunk {
    const capacity = this.#capacity(capacityFor(frameBytes), logBytes);
    if (capacity > MAX_POOLED_BYTES) return chunkAlone(capacity);
    const open = this.#openOf(capacity);
    const slab = open.at(-1) ?? this.#cut(capacity, open);
    const chunk = new LogChunk(slab, capacity);
    if (slab.isFull) open.pop();
    this.#lentBytes += capacity;
    return chunk;
  }

  /** Takes a chunk back whose entries are gone. */
  giveBack(chunk: LogChunk): void {
    const { slab, capacity } = chunk;
    if (capacity > MAX_POOLED_BYTES) return;
    const open = this.#openOf(capacity);
    if (slab.isFull) open.push(slab);
    slab.takeBack(chunk);
    this.#lentBytes -= capacity;
    if (slab.used > 0) return;
    remove(slab, open);
    this.#shelve(slab);
  }

  /** Keeps as many slabs of each size as were needed since the last call, and moves together what logs have left over. */
  trim(): void {
    for (const shelf of this.#shelves.values()) {
      for (const slab of shelf.slabs.splice(shelf.asked)) this.#letGo(slab);
      shelf.asked = 0;
    }
    for (let emptied = 0; emptied < EMPTIED_A_TRIM && this.#hasTooMuch && this.#emptyOne(); emptied++);
  }

  /** Lets go of everything. */
  clear(): void {
    this.#open.clear();
    this.#shelves.clear();
    this.#slabBytes = 0;
    this.#lentBytes = 0;
  }

  get #hasTooMuch(): boolean {
    return this.freeBytes > Math.max(MIN_FREE_BYTES, this.#lentBytes * FREE_SHARE);
  }

  /** A slab that is cut into chunks of a capacity, as one of those with free blocks. */
  #cut(capacity: number, open: LogSlab[]): LogSlab {
    const size = capacity > MAX_CHUNK_BYTES ? capacity : SLAB_BYTES;
    const shelf = this.#shelfOf(size);
    shelf.asked++;
    const slab = shelf.slabs.pop() ?? this.#make(size);
    slab.cut(capacity);
    open.push(slab);
    return slab;
  }

  #make(size: number): LogSlab {
    while (this.#hasTooMuch && this.#dropOne());
    this.#slabBytes += size;
    if (this.#letGoBytes === 0) return new LogSlab(new SharedArrayBuffer(size));
    this.#letGoBytes = Math.max(0, this.#letGoBytes - size);
    return new LogSlab(new ArrayBuffer(size));
  }

  #shelve(slab: LogSlab): void {
    if (this.#hasTooMuch) this.#letGo(slab);
    else this.#shelfOf(slab.size).slabs.push(slab);
  }

  #letGo({ size }: LogSlab): void {
    this.#slabBytes -= size;
    this.#letGoBytes += size;
  }

  /** Lets go of a slab that is not in use, or of one that can be emptied. False: there is none. */
  #dropOne(): boolean {
    for (const { slabs } of this.#shelves.values()) {
      const slab = slabs.pop();
      if (slab === undefined) continue;
      this.#letGo(slab);
      return true;
    }
    return this.#emptyOne();
  }

  /** Lets go of a slab whose chunks have room in others; of all of these, one with few. False: there is none. */
  #emptyOne(): boolean {
    let open: LogSlab[] = [];
    // Whoever has a whole slab free has room for what is in any one of them.
    let mostFree = SLAB_BYTES - 1;
    for (const slabs of this.#open.values()) {
      const free = slabs.reduce((sum, slab) => sum + slab.freeBytes, 0);
      if (free <= mostFree) continue;
      mostFree = free;
      open = slabs;
    }
    const [first] = open;
    if (first === undefined) return false;
    const emptiest = open.reduce((least, slab) => (slab.used < least.used ? slab : least), first);
    remove(emptiest, open);
    for (const chunk of emptiest.owners()) {
      const target = open.at(-1);
      if (target === undefined) throw new RangeError("no slab is free");
      chunk.moveTo(target);
      if (target.isFull) open.pop();
    }
    this.#letGo(emptiest);
    return true;
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

  #openOf(capacity: number): LogSlab[] {
    let open = this.#open.get(capacity);
    if (open === undefined) {
      open = [];
      this.#open.set(capacity, open);
    }
    return open;
  }

  #shelfOf(size: number): Shelf {
    let shelf = this.#shelves.get(size);
    if (shelf === undefined) {
      shelf = { slabs: [], asked: 0 };
      this.#shelves.set(size, shelf);
    }
    return shelf;
  }
}

/** A chunk that has memory to itself, which V8 counts. */
function chunkAlone(capacity: number): LogChunk {
  const slab = new LogSlab(new ArrayBuffer(capacity));
  slab.cut(capacity);
  return new LogChunk(slab, capacity);
}

/** Takes it out of the list, in which it is. */
function remove(slab: LogSlab, slabs: LogSlab[]): void {
  slabs.splice(slabs.indexOf(slab), 1);
}
