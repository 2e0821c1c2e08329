/** What has a block of a slab. */
export interface BlockOwner {
  /** Where its block begins, in bytes. */
  readonly start: number;
  /** Takes what is in its block along to one of another slab with blocks of the same size. */
  moveTo(slab: LogSlab): void;
}

/**
 * A piece of memory that is cut into blocks of one size, each for a chunk of a log. V8 and Node make half a dozen
 * objects for every buffer: in one of their own, small chunks took twice their memory, and an append had as many more
 * places to look at.
 */
export class LogSlab {
  readonly bytes: Buffer;
  readonly words: Uint32Array;
  #blockBytes = 0;
  /** By the number of their block. */
  #owners: (BlockOwner | undefined)[] = [];
  /** The numbers of blocks that nobody has. */
  #free: number[] = [];

  /** @param memory its alone; whole words */
  constructor(memory: ArrayBufferLike) {
    this.bytes = Buffer.from(memory);
    this.words = new Uint32Array(memory);
  }

  /** Bytes. */
  get size(): number {
    return this.bytes.length;
  }

  /** Blocks that somebody has. */
  get used(): number {
    return this.#owners.length - this.#free.length;
  }

  /** Bytes of the blocks that nobody has. */
  get freeBytes(): number {
    return this.#free.length * this.#blockBytes;
  }

  get isFull(): boolean {
    return this.#free.length === 0;
  }

  /** Cuts it into blocks, of whole words. Nobody may have one. */
  cut(blockBytes: number): void {
    this.#blockBytes = blockBytes;
    this.#owners = Array.from({ length: Math.floor(this.size / blockBytes) }, () => undefined);
    // Given from the end: the first block first.
    this.#free = Array.from(this.#owners.keys()).toReversed();
  }

  /**
   * Gives a free block; returns where it begins, in bytes.
   * @throws RangeError when it is full
   */
  give(owner: BlockOwner): number {
    const block = this.#free.pop();
    if (block === undefined) throw new RangeError("the slab is full");
    this.#owners[block] = owner;
    return block * this.#blockBytes;
  }

  /** The other end of `give`. */
  takeBack({ start }: BlockOwner): void {
    const block = start / this.#blockBytes;
    this.#owners[block] = undefined;
    this.#free.push(block);
  }

  /** All who have a block now. */
  owners(): BlockOwner[] {
    return this.#owners.filter((owner) => owner !== undefined);
  }
}
