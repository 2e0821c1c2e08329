import { hash } from "node:crypto";
import { RecencyMap, type TenantContext } from "@pm/core";
import type { VerificationKey } from "./verification-key.ts";

/** What verifying a token has shown. */
export interface VerifiedToken {
  readonly context: TenantContext;
  readonly key: VerificationKey;
  /** Milliseconds since the epoch from which on it is good, leeway included. */
  readonly fromMs: number;
  /** When it is no longer good. */
  readonly untilMs: number;
}

/** Bounds of the cache. */
export interface CacheLimits {
  readonly maxTokens: number;
  readonly maxBytes: number;
}

/** In whole seconds, rounded to the inside: V8 keeps milliseconds since the epoch in boxes. */
interface Entry extends Pick<VerifiedToken, "context" | "key"> {
  readonly fromSecs: number;
  readonly untilSecs: number;
  readonly bytes: number;
}

/** What an entry costs beside what is in the token. */
const ENTRY_BYTES = 512;

/**
 * Verified tokens by their SHA-256, so that no token stays in memory. Bounded by count and by estimated bytes; the
 * least recently used goes first. Says nothing about a token outside its time.
 */
export class VerifiedTokenCache {
  readonly #limits: CacheLimits;
  readonly #entries = new RecencyMap<Entry>();
  #bytes = 0;

  constructor(limits: CacheLimits) {
    this.#limits = limits;
  }

  get size(): number {
    return this.#entries.size;
  }

  /** Estimated. */
  get bytes(): number {
    return this.#bytes;
  }

  get(token: string, nowMs: number): Pick<VerifiedToken, "context" | "key"> | undefined {
    if (this.#entries.size === 0) return undefined;
    const id = idOf(token);
    const entry = this.#entries.get(id);
    if (entry === undefined || (nowMs >= entry.fromSecs * 1000 && nowMs < entry.untilSecs * 1000)) return entry;
    this.#delete(id);
    return undefined;
  }

  set(token: string, { context, key, fromMs, untilMs }: VerifiedToken): void {
    const bytes = ENTRY_BYTES + 2 * token.length;
    const id = idOf(token);
    this.#delete(id);
    const fromSecs = Math.ceil(fromMs / 1000);
    const untilSecs = Math.floor(untilMs / 1000);
    this.#entries.set(id, { context, key, fromSecs, untilSecs, bytes });
    this.#bytes += bytes;
    this.#evict();
  }

  delete(token: string): void {
    this.#delete(idOf(token));
  }

  #evict(): void {
    const { maxTokens, maxBytes } = this.#limits;
    for (let next = this.#entries.oldest; next !== undefined; next = this.#entries.oldest) {
      if (this.#entries.size <= maxTokens && this.#bytes <= maxBytes) return;
      this.#delete(next.key);
    }
  }

  #delete(id: string): void {
    this.#bytes -= this.#entries.delete(id)?.bytes ?? 0;
  }
}

function idOf(token: string): string {
  return hash("sha256", token, "binary");
}
