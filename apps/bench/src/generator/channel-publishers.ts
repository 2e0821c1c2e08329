import { type Dialect, channelName } from "../dialect/dialect.ts";
import { blankPayload, MAX_SEQUENCE } from "../wire/stamp.ts";
import type { StampedFrame } from "../wire/stamped-frame.ts";
import type { BenchClient } from "./bench-client.ts";
import { nowUs } from "./delivery-counter.ts";

/** A channel that somebody publishes to. Its sequence numbers have no holes. */
export interface PublishedChannel {
  readonly frame: StampedFrame;
  nextSequence: number;
}

/** How publications are made. */
export interface PublicationForm {
  readonly dialect: Dialect;
  readonly payloadBytes: number;
}

/** A frame for the n-th channel, to be sent again and again. */
export function publishedChannel(n: number, { dialect, payloadBytes }: PublicationForm): PublishedChannel {
  return { frame: dialect.publish(channelName(n), blankPayload(payloadBytes)), nextSequence: 0 };
}

/** Sends the next publication of a channel. */
export function publishNext(channel: PublishedChannel, client: BenchClient): void {
  client.send(channel.frame.stamped({ timeUs: nowUs(), sequence: channel.nextSequence }));
  channel.nextSequence = channel.nextSequence === MAX_SEQUENCE ? 0 : channel.nextSequence + 1;
}

/** Publishes to channels in turn, each through the same publisher all the time. */
export class ChannelPublishers {
  published = 0;
  readonly #channels: readonly PublishedChannel[];
  readonly #publishers: readonly BenchClient[];

  constructor(channels: readonly PublishedChannel[], publishers: readonly BenchClient[]) {
    this.#channels = channels;
    this.#publishers = publishers;
  }

  /** True when the socket of the next one does not take more for now. */
  get isFull(): boolean {
    return this.#publisherOf(this.#next)?.isFull ?? true;
  }

  /** Publishes once, to the next channel. */
  publish(): void {
    const n = this.#next;
    this.published++;
    const channel = this.#channels[n];
    const publisher = this.#publisherOf(n);
    if (channel !== undefined && publisher !== undefined) publishNext(channel, publisher);
  }

  get #next(): number {
    return this.published % this.#channels.length;
  }

  #publisherOf(channel: number): BenchClient | undefined {
    return this.#publishers[channel % this.#publishers.length];
  }
}
