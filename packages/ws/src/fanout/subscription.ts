import type { ChannelRef, TenantContext } from "@pm/core";
import type { Encoding } from "@pm/proto";
import type { ChannelKind } from "../channel-kinds.ts";
import type { Outbox } from "../connection/outbox.ts";
import { type StreamPosition, tagsAgree } from "../log/stream-position.ts";
import type { ReplyBody } from "../wire/reply-encoder.ts";
import type { Run } from "./run.ts";

/** The connection behind a subscription, as delivery sees it. */
export interface Reader {
  readonly id: string;
  readonly context: TenantContext;
  readonly encoding: Encoding;
  readonly outbox: Outbox;
  /** Has a subscription read the log forward from where it is. */
  readonly catchUp: { add(subscription: Subscription): void };
  /** Queues a message that is for it alone. */
  send(body: ReplyBody): void;
  /** The policy of a channel is to close readers that fall behind. */
  onTooSlow(): void;
}

/** The channel behind a subscription. */
export interface SubscribedChannel {
  readonly ref: ChannelRef;
  readonly kind: ChannelKind;
  /** The newest entry that has come here. */
  readonly top: StreamPosition;
  /** Compares with the log. */
  verify(): void;
  /** Takes one that has read to the end of the log as live; false: it has to read on. */
  join(subscription: Subscription): boolean;
  /** Takes the subscription out, and lets the channel go when nobody else holds it. */
  end(subscription: Subscription): void;
}

/**
 * One connection's reading of one channel. `next`, the offset it needs, and `check`, the tag before it, alone decide
 * what is delivered to it, so slices, shared runs, catching up and late subscribers cannot reorder, repeat or mix two
 * logs.
 */
export class Subscription {
  // First what every delivery looks at: it lies side by side, and is not in the processor's caches by then.
  /** It waits for its turn to read the log. */
  isCatchingUp = false;
  epoch: string;
  next: number;
  /** The tag of the entry before `next`. */
  check: number;
  /** That of the reader, here since every delivery needs it. */
  readonly #outbox: Outbox;
  readonly reader: Reader;
  readonly channel: SubscribedChannel;
  /** Its place in the channel's list; −1 when it has ended. */
  index = -1;
  /** It fell behind, and the policy lets it go on with the newest. */
  maySkip = false;

  constructor(reader: Reader, channel: SubscribedChannel, position: StreamPosition) {
    this.reader = reader;
    this.#outbox = reader.outbox;
    this.channel = channel;
    this.epoch = position.epoch;
    this.next = position.offset + 1;
    this.check = position.check;
  }

  get position(): StreamPosition {
    return { epoch: this.epoch, offset: this.next - 1, check: this.check };
  }

  moveTo(position: StreamPosition): void {
    this.epoch = position.epoch;
    this.next = position.offset + 1;
    this.check = position.check;
  }

  /**
   * Offers a run: takes the part that it needs, or reads the log first when that does not follow what it has, or its
   * socket is full.
   */
  offer(run: Run): void {
    if (this.isCatchingUp) return;
    if (run.epoch === this.epoch && run.last < this.next) return;
    if (!isFollowedBy(this, run)) this.reader.catchUp.add(this);
    else if (this.#outbox.isBehind) fallBehind(this);
    else this.take(run);
  }

  /** Reads what an offer looks at, as `TurnJob.touch` says. */
  touch(): number {
    return this.next ^ this.#outbox.touch();
  }

  /** Takes a run that has no gap before it. */
  take(run: Run): void {
    this.#outbox.offer(run.from(this.next));
    this.next = run.last + 1;
    this.check = run.lastCheck;
  }
}

// Functions and not private methods, for which each object has a word more.

/** False behind a gap, and for a run of another log: one of the two may be from before the log lost its tail. */
function isFollowedBy({ epoch, next, check }: Subscription, run: Run): boolean {
  if (run.epoch !== epoch || next < run.first) return false;
  return tagsAgree(check, run.checkBefore(next));
}

function fallBehind(subscription: Subscription): void {
  const { reader, channel } = subscription;
  const { lagPolicy } = channel.kind;
  if (lagPolicy === "disconnect") {
    reader.onTooSlow();
    return;
  }
  subscription.maySkip = lagPolicy === "latest";
  reader.catchUp.add(subscription);
}
