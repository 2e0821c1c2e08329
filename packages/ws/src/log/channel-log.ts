import type { LogEntry, LogPage, PublicationDraft, ReadRequest } from "./broker.ts";
import { entrySize } from "./entry-size.ts";
import type { LogMark } from "./stream-position.ts";

/** How much of a channel's log is kept. */
export interface Retention {
  /** Publications; at least 1. */
  readonly count: number;
  /** Bytes, as the sizes of entries count them. */
  readonly bytes: number;
  /** Milliseconds. */
  readonly ageMs: number;
}

/** What an append is given beside the draft. */
export interface EntryStamp {
  readonly check: number;
  readonly publishedAtMs: number;
}

const COMPACT_AFTER = 256;

/**
 * The retained publications of one channel: consecutive offsets, a tag for each, a base below them. The newest entry is
 * never evicted for count or bytes, so that it can be offered to every reader.
 */
export class ChannelLog {
  readonly epoch: string;
  /** Milliseconds of the monotonic clock. */
  lastUsedMs = 0;
  #entries: LogEntry[] = [];
  #head = 0;
  #bytes = 0;
  #baseOffset = 0;
  #baseCheck: number;
  #topOffset = 0;
  #topCheck: number;

  /** @param startCheck the tag of offset 0 */
  constructor(epoch: string, startCheck: number) {
    this.epoch = epoch;
    this.#baseCheck = startCheck;
    this.#topCheck = startCheck;
  }

  get base(): LogMark {
    return { offset: this.#baseOffset, check: this.#baseCheck };
  }

  get top(): LogMark {
    return { offset: this.#topOffset, check: this.#topCheck };
  }

  /** The offset of `base`. */
  get baseOffset(): number {
    return this.#baseOffset;
  }

  /** Entries retained. */
  get count(): number {
    return this.#entries.length - this.#head;
  }

  /** Bytes of the entries retained. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Appends; evicts nothing. */
  append(draft: PublicationDraft, stamp: EntryStamp): LogEntry {
    const offset = this.#topOffset + 1;
    const entry: LogEntry = {
      offset,
      check: stamp.check,
      prevCheck: this.#topCheck,
      publishedAtMs: stamp.publishedAtMs,
      messageId: `${this.epoch}.${offset}`,
      payload: draft.payload,
      event: draft.event,
      publisher: draft.publisher,
      traceParent: draft.traceParent,
      size: entrySize(draft),
    };
    this.#entries.push(entry);
    this.#bytes += entry.size;
    this.#topOffset = offset;
    this.#topCheck = entry.check;
    return entry;
  }

  /** Evicts what is beyond the retention; returns the bytes that came free. */
  retain(retention: Retention, nowMs: number): number {
    const before = this.#bytes;
    const oldestMs = nowMs - retention.ageMs;
    while (this.count > 1 && (this.count > retention.count || this.#bytes > retention.bytes)) this.evictOldest();
    while (this.count > 0 && (this.#entries[this.#head]?.publishedAtMs ?? 0) < oldestMs) this.evictOldest();
    return before - this.#bytes;
  }

  /** Evicts one entry; returns the bytes that came free, 0 for an empty log. */
  evictOldest(): number {
    const entry = this.#entries[this.#head];
    if (entry === undefined) return 0;
    const { size } = entry;
    this.#head++;
    this.#bytes -= size;
    this.#baseOffset = entry.offset;
    this.#baseCheck = entry.check;
    if (this.count === 0) this.#drop(this.#entries.length);
    else if (this.#head > COMPACT_AFTER && this.#head * 2 > this.#entries.length) this.#drop(this.#head);
    return size;
  }

  /** Reads a part, as `Broker.read` does. */
  read(request: ReadRequest): LogPage {
    const entries = request.direction === "forward" ? this.#forward(request) : this.#backward(request);
    return { epoch: this.epoch, base: this.base, top: this.top, entries };
  }

  #forward({ from, maxCount, maxBytes }: ReadRequest): LogEntry[] {
    const found: LogEntry[] = [];
    let bytes = 0;
    for (let offset = Math.max(from, this.#baseOffset) + 1; offset <= this.#topOffset; offset++) {
      const entry = this.#at(offset);
      bytes += entry.size;
      if (found.length > 0 && (found.length >= maxCount || bytes > maxBytes)) break;
      found.push(entry);
    }
    return found;
  }

  #backward({ from, maxCount, maxBytes }: ReadRequest): LogEntry[] {
    const found: LogEntry[] = [];
    let bytes = 0;
    for (let offset = Math.min(from - 1, this.#topOffset); offset > this.#baseOffset; offset--) {
      const entry = this.#at(offset);
      bytes += entry.size;
      if (found.length > 0 && (found.length >= maxCount || bytes > maxBytes)) break;
      found.push(entry);
    }
    return found;
  }

  #at(offset: number): LogEntry {
    const entry = this.#entries[this.#head + offset - this.#baseOffset - 1];
    if (entry === undefined) throw new RangeError(`offset ${offset} is not retained`);
    return entry;
  }

  #drop(count: number): void {
    this.#entries = this.#entries.slice(count);
    this.#head -= count;
    if (this.#entries.length === 0) this.#head = 0;
  }
}
