import type { KeySource } from "./key-source.ts";
import type { JwtAlgorithm } from "./jwt-algorithm.ts";
import type { VerificationKey } from "./verification-key.ts";

/** Keys that do not change, found by `kid`. */
export class KeySet implements KeySource {
  readonly #keys: readonly VerificationKey[];
  readonly #named = new Map<string, VerificationKey>();
  readonly #unnamed: VerificationKey | undefined;

  /** Of keys with the same `kid`, or with none, the first counts. */
  constructor(keys: Iterable<VerificationKey>) {
    for (const key of keys) {
      if (key.kid === undefined) this.#unnamed ??= key;
      else if (!this.#named.has(key.kid)) this.#named.set(key.kid, key);
    }
    this.#keys = [...this.#named.values(), ...(this.#unnamed === undefined ? [] : [this.#unnamed])];
  }

  get size(): number {
    return this.#keys.length;
  }

  get algorithms(): readonly JwtAlgorithm[] {
    return [...new Set(this.#keys.map((key) => key.algorithm))];
  }

  async start(): Promise<void> {}

  async close(): Promise<void> {}

  /**
   * The key of that name, else the one without a name; for a token without `kid` the one without a name, else the only
   * one. Keys are never tried one after the other.
   */
  find(kid: string | undefined): VerificationKey | undefined {
    if (kid === undefined) return this.#unnamed ?? (this.#keys.length === 1 ? this.#keys[0] : undefined);
    return this.#named.get(kid) ?? this.#unnamed;
  }

  /** False where a token with this `kid` would be verified by the key without a name, or by none. */
  has(kid: string | undefined): boolean {
    return kid === undefined ? this.find(kid) !== undefined : this.#named.has(kid);
  }

  isCurrent(key: VerificationKey): boolean {
    return this.#keys.includes(key);
  }

  /** The set of `next`, in which keys that are here already stay the same objects. */
  replacedBy(next: Iterable<VerificationKey>): KeySet {
    return new KeySet([...next].map((key) => this.#keys.find((known) => isSame(known, key)) ?? key));
  }
}

function isSame(a: VerificationKey, b: VerificationKey): boolean {
  return a.kid === b.kid && a.material.equals(b.material);
}
