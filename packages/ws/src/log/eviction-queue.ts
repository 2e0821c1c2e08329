import type { ChannelLog } from "./channel-log.ts";

const COMPACT_AFTER = 1024;

/**
 * The entries of a tenant in the order in which they were appended, over all its channels, so that the tenant's oldest
 * goes first. Holds a reference an entry; those whose entry has gone by other ways are skipped, and cleared away when
 * they are the majority.
 */
export class EvictionQueue {
  #logs: ChannelLog[] = [];
  #offsets: number[] = [];
  #head = 0;

  push(log: ChannelLog, offset: number): void {
    this.#logs.push(log);
    this.#offsets.push(offset);
  }

  /** Evicts the oldest entry but never the newest of all; returns the bytes that came free, 0 when there is none. */
  evictOldest(): number {
    while (this.#head < this.#logs.length - 1) {
      const log = this.#logs[this.#head];
      const offset = this.#offsets[this.#head];
      this.#head++;
      if (log !== undefined && offset !== undefined && offset > log.baseOffset) return log.evictOldest();
    }
    return 0;
  }

  /** Clears away what is stale when it outnumbers the `liveEntries`. */
  compact(liveEntries: number): void {
    const queued = this.#logs.length - this.#head;
    const mostlyPassed = this.#head > COMPACT_AFTER && this.#head > queued;
    if (!mostlyPassed && queued < 2 * liveEntries + COMPACT_AFTER) return;
    const logs: ChannelLog[] = [];
    const offsets: number[] = [];
    for (let i = this.#head; i < this.#logs.length; i++) {
      const log = this.#logs[i];
      const offset = this.#offsets[i];
      if (log === undefined || offset === undefined || offset <= log.baseOffset) continue;
      logs.push(log);
      offsets.push(offset);
    }
    this.#logs = logs;
    this.#offsets = offsets;
    this.#head = 0;
  }
}
