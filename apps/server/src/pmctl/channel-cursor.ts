import type { Lagged, Publication, Subscribed } from "@pm/proto";
import { RecoveryMiss } from "@pm/proto";
import type { Position } from "./position-option.ts";

/** Where a channel is to be read from at first. */
export interface CursorStart {
  readonly since?: Position | undefined;
  readonly rewind?: number | undefined;
}

/** How to subscribe. */
export interface SubscribeRequest {
  readonly channel: string;
  readonly since?: Position;
  readonly rewind?: number;
}

/** Publications that were not seen; a count of 0 is unknown. */
export interface Gap {
  readonly channel: string;
  readonly missedCount: bigint;
  readonly reason: RecoveryMiss;
}

/** What to do with a publication. */
export type Verdict = "deliver" | "drop" | "resubscribe";

/**
 * Where a reader is in one channel, kept across connections, so that nothing comes twice and nothing is missed without
 * notice: it takes the publication after the last one, drops earlier ones, and asks to subscribe again from where it is
 * for anything else. Publications between a Subscribe and its Subscribed are dropped.
 */
export class ChannelCursor {
  readonly channel: string;
  readonly #start: CursorStart;
  readonly #isAutomatic: boolean;
  #position: Position | undefined;
  #pendingId: number | undefined;

  /** @param options isAutomatic: the server subscribes every connection by itself */
  constructor(channel: string, start: CursorStart = {}, options: { readonly isAutomatic?: boolean } = {}) {
    this.channel = channel;
    this.#start = start;
    this.#isAutomatic = options.isAutomatic ?? false;
  }

  /** The last position that was read; undefined before the first Subscribed. */
  get position(): Position | undefined {
    return this.#position;
  }

  /** False for a channel that is subscribed by itself, until there is a position to go on from. */
  get needsRequest(): boolean {
    return !this.#isAutomatic || this.#position !== undefined;
  }

  /** Begins to subscribe with the command of this id: from where it is, or as it was to start. */
  request(id: number): SubscribeRequest {
    this.#pendingId = id;
    const { channel } = this;
    const since = this.#position ?? this.#start.since;
    if (since !== undefined) return { channel, since };
    return this.#start.rewind === undefined ? { channel } : { channel, rewind: this.#start.rewind };
  }

  /** True for the id of the Subscribe that has no answer yet. */
  isPending(id: number): boolean {
    return this.#pendingId === id;
  }

  /** The connection has ended: no answer comes. */
  disconnected(): void {
    this.#pendingId = undefined;
  }

  /** True for the Subscribed that answers its request or, where it has made none, for a push. */
  expects(replyTo: number): boolean {
    return this.#pendingId === undefined || this.#pendingId === replyTo;
  }

  /** Takes the Subscribed that it expects. */
  subscribed({ position, recovered, miss, missedCount }: Subscribed): Gap | undefined {
    const wanted = this.#position ?? this.#start.since;
    this.#pendingId = undefined;
    this.#moveTo(position);
    if (wanted === undefined || recovered) return undefined;
    return { channel: this.channel, missedCount, reason: miss };
  }

  /** Judges a publication, and moves on when it is to be delivered. */
  publication({ offset, check }: Publication): Verdict {
    const at = this.#position;
    if (at === undefined || this.#pendingId !== undefined) return "drop";
    if (offset === at.offset + 1n) {
      this.#position = { epoch: at.epoch, offset, check };
      return "deliver";
    }
    const isOtherEntry = offset === at.offset && at.check !== 0 && check !== at.check;
    return offset <= at.offset && !isOtherEntry ? "drop" : "resubscribe";
  }

  /** Takes the notice of a discontinuity. */
  lagged({ position, missedCount, reason }: Lagged): Gap | undefined {
    if (this.#pendingId !== undefined) return undefined;
    this.#moveTo(position);
    return { channel: this.channel, missedCount, reason };
  }

  #moveTo(position: Position | undefined): void {
    if (position === undefined) return;
    this.#position = { epoch: position.epoch, offset: position.offset, check: position.check };
  }
}

/** The name of a reason, as in the protocol. */
export function reasonName(reason: RecoveryMiss): string {
  return Object.entries(RecoveryMiss).find(([, value]) => value === reason)?.[0] ?? String(reason);
}
