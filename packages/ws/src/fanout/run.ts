import type { Encoding } from "@pm/proto";
import type { LogEntry } from "../log/broker.ts";
import { jsonElement } from "../wire/json-element.ts";
import { type Elements, framed, frameElements, whole } from "../wire/websocket-frame.ts";

/**
 * Consecutive entries of one channel on their way to its readers. Put into a frame once for each encoding in use, and
 * the bytes are shared by all who need exactly this run.
 */
export class Run {
  readonly epoch: string;
  readonly entries: readonly LogEntry[];
  readonly first: number;
  readonly last: number;
  /** The tag of the entry before the first. */
  readonly prevCheck: number;
  /** The tag of the last entry. */
  readonly lastCheck: number;
  /** Bytes of the frames of its entries. */
  readonly size: number;
  #proto: Elements | undefined;
  #json: Elements | undefined;

  /** @param entries at least one, without holes */
  constructor(epoch: string, entries: readonly LogEntry[]) {
    this.epoch = epoch;
    this.entries = entries;
    this.first = entries[0]?.offset ?? 0;
    this.last = this.first + entries.length - 1;
    this.prevCheck = entries[0]?.prevCheck ?? 0;
    this.lastCheck = entries[entries.length - 1]?.check ?? 0;
    this.size = sizeOf(entries);
  }

  bytes(encoding: Encoding): Elements {
    if (encoding === "json") {
      this.#json ??= frameElements(
        this.entries.map(({ frame }) => whole(jsonElement(frame))),
        encoding,
      );
      return this.#json;
    }
    this.#proto ??= this.#frame();
    return this.#proto;
  }

  /** A run of one is the frame that is in the log. */
  #frame(): Elements {
    const first = this.entries[0];
    if (first !== undefined && this.entries.length === 1) return framed(first.frame);
    return frameElements(
      this.entries.map(({ frame }) => framed(frame)),
      "proto",
    );
  }

  /** The tag of the entry before `offset`, which is one of the run's. */
  checkBefore(offset: number): number {
    return offset === this.first ? this.prevCheck : (this.entries[offset - this.first - 1]?.check ?? 0);
  }

  /** The part from `offset` on, for a reader that has seen the beginning. */
  from(offset: number): Run {
    return offset <= this.first ? this : new Run(this.epoch, this.entries.slice(offset - this.first));
  }
}

/** Bytes of the frames of entries. */
export function sizeOf(entries: readonly LogEntry[]): number {
  let bytes = 0;
  for (const { frame } of entries) bytes += frame.length;
  return bytes;
}
