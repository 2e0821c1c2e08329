import { type ChannelRef, parseChannelName, type TenantId, USER_CHANNEL } from "@pm/core";
import type { Lagged, Publication, Published, Subscribed } from "@pm/proto";
import type { StreamPosition } from "../log/stream-position.ts";
import { ChannelCursor } from "./channel-cursor.ts";
import type { HistoryEvent } from "./history.ts";
import { laggedEvent, positionOf, publicationEvent, publishedEvent, subscribedEvent } from "./message-event.ts";

/** A publication as an application gets it. */
export interface AcceptedPublication extends StreamPosition {
  readonly channel: string;
  readonly payloadId: string;
}

/** Where a subscription is to begin. */
export interface SubscribeFrom {
  readonly since?: StreamPosition | undefined;
  /** The last n. */
  readonly rewind?: number | undefined;
}

/** Whose record it is, and who hears of it. */
export interface ClientRecordOptions {
  /** As the token has them. */
  readonly tenant: TenantId;
  readonly user: string;
  /** Tells its events from those of others. */
  readonly name: string;
  /** Takes its history; `HistoryChecker.record` is one. */
  readonly record: (event: HistoryEvent) => void;
  /** Takes every publication once, as an application would. */
  readonly onAccepted?: ((accepted: AcceptedPublication) => void) | undefined;
}

/** What one client has done and seen over all its connections, and where it is in each channel. */
export class ClientRecord {
  readonly #options: ClientRecordOptions;
  readonly #resubscribe: (channel: string) => void;
  readonly #cursors = new Map<string, ChannelCursor>();

  /** @param resubscribe asks for a channel again, from where the client is */
  constructor(options: ClientRecordOptions, resubscribe: (channel: string) => void) {
    this.#options = options;
    this.#resubscribe = resubscribe;
  }

  /** The channels that it reads, and where it is in them. */
  *positions(): Generator<readonly [string, StreamPosition]> {
    for (const [channel, { position }] of this.#cursors) if (position !== undefined) yield [channel, position];
  }

  cursor(channel: string): ChannelCursor {
    let cursor = this.#cursors.get(channel);
    if (cursor === undefined) {
      cursor = new ChannelCursor();
      this.#cursors.set(channel, cursor);
    }
    return cursor;
  }

  /** The log that a channel name stands for. */
  logOf(channel: string): ChannelRef {
    const { tenant, user } = this.#options;
    const name = parseChannelName(channel);
    return name === USER_CHANNEL ? { tenant, name, user } : { tenant, name };
  }

  connected(): void {
    this.#options.record({ kind: "connected", reader: this.#options.name });
  }

  disconnected(code: number): void {
    this.#options.record({ kind: "disconnected", reader: this.#options.name, code });
  }

  publishing(channel: string, payloadId: string): void {
    this.#options.record({ kind: "publishing", ...this.#seen(channel), payloadId });
  }

  published(channel: string, payloadId: string, published: Published): void {
    this.#options.record(publishedEvent(this.#seen(channel), payloadId, published));
  }

  subscribed(subscribed: Subscribed, asked: SubscribeFrom): void {
    this.#options.record(subscribedEvent(this.#seen(subscribed.channel), asked, subscribed));
    this.cursor(subscribed.channel).moveTo(positionOf(subscribed.position));
  }

  /** A subscription that nobody asked for: a returning client asks for it from where it was, and waits for that. */
  pushedSubscribed(subscribed: Subscribed): void {
    if (this.cursor(subscribed.channel).position === undefined) this.subscribed(subscribed, {});
    else this.#options.record(subscribedEvent(this.#seen(subscribed.channel), {}, subscribed));
  }

  publication(publication: Publication): void {
    const { channel } = publication;
    const event = publicationEvent(this.#seen(channel), publication);
    this.#options.record(event);
    const cursor = this.cursor(channel);
    const verdict = cursor.take(event);
    const { position } = cursor;
    if (position === undefined) return;
    if (verdict === "resubscribe") this.#resubscribe(channel);
    if (verdict === "accept") this.#options.onAccepted?.({ ...position, channel, payloadId: event.payloadId });
  }

  lagged(lagged: Lagged): void {
    this.#options.record(laggedEvent(this.#seen(lagged.channel), lagged));
    this.cursor(lagged.channel).lag(positionOf(lagged.position));
  }

  unsubscribed(channel: string): void {
    this.#cursors.delete(channel);
    this.#options.record({ kind: "unsubscribed", ...this.#seen(channel) });
  }

  #seen(channel: string): { readonly reader: string; readonly log: ChannelRef } {
    return { reader: this.#options.name, log: this.logOf(channel) };
  }
}
