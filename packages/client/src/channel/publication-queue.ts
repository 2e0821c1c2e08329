/** The bounds of a PublicationQueue, and whom it tells that they are reached. */
export interface QueueBounds<Item> {
  /** Items that may wait; one more than this is never queued. */
  readonly maxItems: number;
  readonly onFull: () => void;
  /** The consumer has taken most of what waited. */
  readonly onDrained: () => void;
  /** The consumer has ended the loop. */
  readonly onReturn: (end: LoopEnd<Item>) => void;
}

/** How far a consumer came. */
export interface LoopEnd<Item> {
  /** The last that it took. */
  readonly taken: Item | undefined;
  /** Something was queued after that. */
  readonly hasRest: boolean;
}

interface Waiting<Item> {
  readonly resolve: (result: IteratorResult<Item, undefined>) => void;
  readonly reject: (error: Error) => void;
}

/** After it was full, a queue counts as drained when it holds this part of its bound or less. */
const DRAINED_PART = 4;

/** The bounded queue behind one `for await`. */
export class PublicationQueue<Item> implements AsyncIterableIterator<Item, undefined> {
  readonly #bounds: QueueBounds<Item>;
  #items: Item[] = [];
  #taken: Item | undefined;
  #waiting: Waiting<Item>[] = [];
  #end: { readonly error: Error | undefined } | undefined;
  #wasFull = false;

  constructor(bounds: QueueBounds<Item>) {
    this.#bounds = bounds;
  }

  get isFull(): boolean {
    return this.#wasFull;
  }

  /** Queues an item, or hands it over when somebody waits for it. */
  push(item: Item): void {
    if (this.#end !== undefined) return;
    const waiting = this.#waiting.shift();
    if (waiting !== undefined) {
      this.#taken = item;
      waiting.resolve({ done: false, value: item });
      return;
    }
    this.#items.push(item);
    if (this.#items.length < this.#bounds.maxItems || this.#wasFull) return;
    this.#wasFull = true;
    this.#bounds.onFull();
  }

  /** Ends the loop when all that is queued has been taken; with an error, by throwing it. */
  finish(error?: Error): void {
    this.#end ??= { error };
    for (const waiting of this.#waiting.splice(0)) this.#settleEnd(waiting);
  }

  next(): Promise<IteratorResult<Item, undefined>> {
    const item = this.#items.shift();
    if (item === undefined) {
      return new Promise((resolve, reject) => {
        if (this.#end === undefined) this.#waiting.push({ resolve, reject });
        else this.#settleEnd({ resolve, reject });
      });
    }
    this.#taken = item;
    if (this.#wasFull && this.#items.length <= this.#bounds.maxItems / DRAINED_PART) {
      this.#wasFull = false;
      this.#bounds.onDrained();
    }
    return Promise.resolve({ done: false, value: item });
  }

  return(): Promise<IteratorResult<Item, undefined>> {
    const hasRest = this.#items.length > 0;
    this.#items = [];
    this.finish();
    this.#bounds.onReturn({ taken: this.#taken, hasRest });
    return Promise.resolve({ done: true, value: undefined });
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  /** An error is thrown once; after it the loop has ended. */
  #settleEnd({ resolve, reject }: Waiting<Item>): void {
    const error = this.#end?.error;
    this.#end = { error: undefined };
    if (error === undefined) resolve({ done: true, value: undefined });
    else reject(error);
  }
}
