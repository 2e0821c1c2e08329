import type { AppendResult } from "./broker.ts";
import { IDEMPOTENCY_WINDOW_MS } from "./broker.ts";

interface Remembered {
  readonly result: AppendResult;
  readonly expiresMs: number;
}

/** What a key costs in memory beside its characters; measured on Node 24. */
const KEY_OVERHEAD_BYTES = 200;

/** The idempotency keys of one channel, each for five minutes. */
export class IdempotencyWindow {
  readonly #keys = new Map<string, Remembered>();
  #bytes = 0;

  /** Bytes by which the keys count against the tenant's memory. */
  get bytes(): number {
    return this.#bytes;
  }

  get size(): number {
    return this.#keys.size;
  }

  /** What was answered to this key of this publisher; undefined when it is new, or too old. */
  find(publisher: string, key: string, nowMs: number): AppendResult | undefined {
    const found = this.#keys.get(nameOf(publisher, key));
    return found === undefined || found.expiresMs <= nowMs ? undefined : found.result;
  }

  /** Keeps an answer for the length of the window; returns the bytes it takes. */
  remember(publisher: string, key: string, kept: { result: AppendResult; nowMs: number }): number {
    const name = nameOf(publisher, key);
    const before = this.#bytes;
    if (this.#keys.delete(name)) this.#bytes -= costOf(name);
    this.#keys.set(name, { result: kept.result, expiresMs: kept.nowMs + IDEMPOTENCY_WINDOW_MS });
    this.#bytes += costOf(name);
    return this.#bytes - before;
  }

  /** Forgets keys older than the window; returns the bytes that came free. */
  expire(nowMs: number): number {
    const before = this.#bytes;
    for (const [name, { expiresMs }] of this.#keys) {
      if (expiresMs > nowMs) break;
      this.#keys.delete(name);
      this.#bytes -= costOf(name);
    }
    return before - this.#bytes;
  }
}

/** The length in front keeps names of different (publisher, key) pairs different. */
function nameOf(publisher: string, key: string): string {
  return `${key.length}:${key}${publisher}`;
}

function costOf(name: string): number {
  return KEY_OVERHEAD_BYTES + name.length;
}
