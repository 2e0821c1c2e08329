interface Waiting<T> {
  readonly offer: (item: T) => boolean;
  readonly fail: (reason: string) => void;
}

/** What has been received, in order, with a way to wait for something among it. */
export class Inbox<T> {
  /** Everything that ever came. */
  readonly all: T[] = [];
  #untaken: T[] = [];
  #ended: string | undefined;
  readonly #waiting = new Set<Waiting<T>>();

  push(item: T): void {
    this.all.push(item);
    for (const waiting of this.#waiting) {
      if (waiting.offer(item)) return;
    }
    this.#untaken.push(item);
  }

  /** Nothing more will come: whoever waits is told so. */
  end(reason: string): void {
    this.#ended = reason;
    for (const waiting of this.#waiting) waiting.fail(reason);
  }

  /** What nobody has taken yet. */
  get untaken(): readonly T[] {
    return this.#untaken;
  }

  /** Takes the first item that matches, now or when it comes. */
  take<U extends T>(matches: (item: T) => item is U, what: string, timeoutMs = 5_000): Promise<U> {
    const index = this.#untaken.findIndex(matches);
    if (index >= 0) return Promise.resolve(this.#untaken.splice(index, 1)[0] as U);
    if (this.#ended !== undefined) return Promise.reject(this.#missing(what, this.#ended));
    return new Promise<U>((resolve, reject) => {
      const finish = (): void => {
        this.#waiting.delete(waiting);
        clearTimeout(timer);
      };
      const waiting: Waiting<T> = {
        offer: (item) => {
          if (!matches(item)) return false;
          finish();
          resolve(item);
          return true;
        },
        fail: (reason) => {
          finish();
          reject(this.#missing(what, reason));
        },
      };
      const timer = setTimeout(() => waiting.fail(`${timeoutMs} ms passed`), timeoutMs);
      this.#waiting.add(waiting);
    });
  }

  #missing(what: string, reason: string): Error {
    const had = this.#untaken.slice(-5).map((item) => describe(item));
    return new Error(`no ${what} came: ${reason}; untaken: ${had.join(", ") || "nothing"}`);
  }
}

function describe(item: unknown): string {
  return JSON.stringify(item, (_key, value: unknown) => (typeof value === "bigint" ? String(value) : value)).slice(
    0,
    300,
  );
}
