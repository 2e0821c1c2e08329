/** One key with its value, between the one used before it and the one used after it. */
interface Entry<V> {
  readonly key: string;
  readonly value: V;
  older: Entry<V> | undefined;
  newer: Entry<V> | undefined;
}

/**
 * A map that knows which key was used least recently. Every operation takes the same time whatever the size, and to use
 * a key allocates nothing. A plain Map, from which a key is deleted and set again whenever it is used, has to step over
 * what is gone at its beginning, and V8 copies it again and again: each copy is held by the one before, so that all of
 * them live until the whole heap is collected.
 */
export class RecencyMap<V> {
  readonly #entries = new Map<string, Entry<V>>();
  #oldest: Entry<V> | undefined;
  #newest: Entry<V> | undefined;

  get size(): number {
    return this.#entries.size;
  }

  /** The key that was used least recently, with its value. */
  get oldest(): { readonly key: string; readonly value: V } | undefined {
    return this.#oldest;
  }

  /** The value, whose key counts as used now. */
  get(key: string): V | undefined {
    const entry = this.#entries.get(key);
    if (entry === undefined) return undefined;
    if (entry !== this.#newest) {
      this.#unlink(entry);
      this.#append(entry);
    }
    return entry.value;
  }

  /** Sets the value; the key counts as used now. */
  set(key: string, value: V): void {
    this.delete(key);
    const entry: Entry<V> = { key, value, older: undefined, newer: undefined };
    this.#entries.set(key, entry);
    this.#append(entry);
  }

  /** Returns the value that was there. */
  delete(key: string): V | undefined {
    const entry = this.#entries.get(key);
    if (entry === undefined) return undefined;
    this.#entries.delete(key);
    this.#unlink(entry);
    return entry.value;
  }

  /** The values, that of the least recently used key first. The one at hand may be deleted. */
  *values(): Generator<V> {
    let entry = this.#oldest;
    while (entry !== undefined) {
      const { newer } = entry;
      yield entry.value;
      entry = newer;
    }
  }

  #append(entry: Entry<V>): void {
    entry.older = this.#newest;
    entry.newer = undefined;
    if (this.#newest === undefined) this.#oldest = entry;
    else this.#newest.newer = entry;
    this.#newest = entry;
  }

  #unlink({ older, newer }: Entry<V>): void {
    if (older === undefined) this.#oldest = newer;
    else older.newer = newer;
    if (newer === undefined) this.#newest = older;
    else newer.older = older;
  }
}
