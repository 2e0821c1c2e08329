import type { ChannelRef } from "@pm/core";
import type { AppendResult, LogEntry, LogPage, PublicationDraft, ReadRequest } from "../log/broker.ts";
import { messageIdOf } from "../log/channel-log.ts";
import type { LogMark } from "../log/stream-position.ts";
import { encodePublication } from "../wire/publication-encoder.ts";

/**
 * A log that has lost its newest entries and goes on under the same epoch: what a replica that lags is after a
 * failover. It gives offsets a second time, which only their tags show.
 */
export class ForkedLog {
  readonly channel: ChannelRef;
  readonly epoch: string;
  readonly #base: LogMark;
  readonly #entries: LogEntry[];
  readonly #keys = new Map<string, AppendResult>();

  /** @param lost entries that are no longer there */
  constructor(channel: ChannelRef, page: LogPage, lost: number) {
    this.channel = channel;
    this.epoch = page.epoch;
    this.#base = page.base;
    this.#entries = page.entries.slice(0, Math.max(0, page.entries.length - lost));
  }

  get top(): LogMark {
    const last = this.#entries.at(-1);
    return last === undefined ? this.#base : { offset: last.offset, check: last.check };
  }

  /** The entry; undefined when the key was seen before. */
  append(draft: PublicationDraft, check: number): { readonly result: AppendResult; readonly entry?: LogEntry } {
    const key = JSON.stringify([draft.publisher, draft.idempotencyKey]);
    const first = draft.idempotencyKey === "" ? undefined : this.#keys.get(key);
    if (first !== undefined) return { result: { ...first, duplicate: true } };
    const offset = this.top.offset + 1;
    // Another replica would make other ids as well.
    const idPrefix = `${this.epoch}.${check}`;
    const messageId = messageIdOf(idPrefix, offset);
    const publishedAtMs = this.#entries.at(-1)?.publishedAtMs ?? 0;
    const frame = encodePublication({ ...draft, channel: this.channel.name, offset, check, publishedAtMs, idPrefix });
    const entry = { offset, check, prevCheck: this.top.check, publishedAtMs, frame };
    this.#entries.push(entry);
    const result = { position: { epoch: this.epoch, offset, check }, messageId, duplicate: false };
    this.#keys.set(key, result);
    return { result, entry };
  }

  /** As `Broker.read`. */
  read({ from, direction, maxCount, maxBytes }: ReadRequest): LogPage {
    const isForward = direction === "forward";
    const found = this.#entries.filter(({ offset }) => (isForward ? offset > from : offset < from));
    const ordered = isForward ? found : found.toReversed();
    let bytes = 0;
    const entries = ordered.filter(({ frame }, index) => {
      bytes += frame.length;
      return index === 0 || (index < maxCount && bytes <= maxBytes);
    });
    return { epoch: this.epoch, base: this.#base, top: this.top, entries };
  }
}
