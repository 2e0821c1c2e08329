import type { ChannelLog } from "./channel-log.ts";

/**
 * The logs of a tenant, as a binary heap: first the one whose oldest chunk has been written for the last time before
 * all others. What a log is appended, or loses by other ways, only makes that later, so that a place is looked at again
 * when it comes up.
 */
export class EvictionQueue {
  readonly #logs: ChannelLog[] = [];
  /** For each of the logs a turn at or before that of its oldest chunk. */
  readonly #turns: number[] = [];
  readonly #members = new Set<ChannelLog>();

  constructor(logs: Iterable<ChannelLog>) {
    for (const log of logs) if (log.count > 0) this.add(log);
  }

  /** Places of logs. */
  get size(): number {
    return this.#logs.length;
  }

  /** Adds a log that has got its first entry; one that still has a place from before it was empty keeps that. */
  add(log: ChannelLog): void {
    if (this.#members.has(log)) return;
    this.#members.add(log);
    let at = this.#logs.length;
    const turn = log.oldestChunkTurn;
    for (let parent = (at - 1) >> 1; at > 0 && this.#turnAt(parent) > turn; parent = (at - 1) >> 1) {
      this.#copy(parent, at);
      at = parent;
    }
    this.#logs[at] = log;
    this.#turns[at] = turn;
  }

  /** Evicts the oldest chunk if it was written for the last time before a turn; returns the bytes that came free. */
  evictOldest(turn: number): number {
    const log = this.#first();
    return log === undefined || this.#turnAt(0) >= turn ? 0 : log.evictChunk();
  }

  /** The log with the oldest chunk; its turn is the first. */
  #first(): ChannelLog | undefined {
    for (let log = this.#logs[0]; log !== undefined; log = this.#logs[0]) {
      if (log.count > 0 && log.oldestChunkTurn === this.#turns[0]) return log;
      this.#lookAgain(log);
    }
    return undefined;
  }

  /** Moves the first to where it belongs now, or out when its log is empty. */
  #lookAgain(first: ChannelLog): void {
    if (first.count > 0) {
      this.#sink(first, first.oldestChunkTurn);
      return;
    }
    this.#members.delete(first);
    const last = this.#logs.pop();
    const turn = this.#turns.pop();
    if (last !== undefined && turn !== undefined && this.#logs.length > 0) this.#sink(last, turn);
  }

  #sink(log: ChannelLog, turn: number): void {
    let at = 0;
    for (let child = this.#lesserChild(0); this.#turnAt(child) < turn; child = this.#lesserChild(at)) {
      this.#copy(child, at);
      at = child;
    }
    this.#logs[at] = log;
    this.#turns[at] = turn;
  }

  #lesserChild(at: number): number {
    const left = 2 * at + 1;
    return this.#turnAt(left + 1) < this.#turnAt(left) ? left + 1 : left;
  }

  #turnAt(index: number): number {
    return this.#turns[index] ?? Number.POSITIVE_INFINITY;
  }

  #copy(from: number, to: number): void {
    const log = this.#logs[from];
    if (log === undefined) return;
    this.#logs[to] = log;
    this.#turns[to] = this.#turnAt(from);
  }
}
