import { hash } from "node:crypto";
import type { TenantContext } from "@pm/core";
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

interface Entry extends VerifiedToken {
  readonly bytes: number;
}

/** What an entry costs beside what is in the token. */
const ENTRY_BYTES = 512;

/**
 * Verified tokens by their SHA-256, so that no token stays in memory. Bounded by count and by estimated bytes; the least
 * recently used goes first. Says nothing about a token outside its time.
 */
export class VerifiedTokenCache {
  readonly #limits: CacheLimits;
  readonly #entries = new Map<string, Entry>();
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

  get(token: string, nowMs: number): VerifiedToken | undefined {
    if (this.#entries.size === 0) return undefined;
    const id = idOf(token);
    const entry = this.#entries.get(id);
    if (entry === undefined) return undefined;
    this.#entries.delete(id);
    if (nowMs < entry.fromMs || nowMs >= entry.untilMs) {
      this.#bytes -= entry.bytes;
      return undefined;
    }
    this.#entries.set(id, entry);
    return entry;
  }

  set(token: string, verified: VerifiedToken): void {
    const bytes = ENTRY_BYTES + 2 * token.length;
    const id = idOf(token);
    this.#delete(id);
    this.#entries.set(id, { ...verified, bytes });
    this.#bytes += bytes;
    for (const oldest of this.#entries.keys()) {
      if (this.#entries.size <= this.#limits.maxTokens && this.#bytes <= this.#limits.maxBytes) return;
      this.#delete(oldest);
    }
  }

  delete(token: string): void {
    this.#delete(idOf(token));
  }

  #delete(id: string): void {
    this.#bytes -= this.#entries.get(id)?.bytes ?? 0;
    this.#entries.delete(id);
  }
}

function idOf(token: string): string {
  return hash("sha256", token, "base64url");
}
