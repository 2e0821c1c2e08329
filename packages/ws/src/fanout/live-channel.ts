import type { CancelTimer, ChannelRef } from "@pm/core";
import { RecoveryMiss } from "@pm/proto";
import type { ChannelKind } from "../channel-kinds.ts";
import type { BrokerListener, LogEntry } from "../log/broker.ts";
import { judgeForward } from "../log/log-cursor.ts";
import { type StreamPosition, tagsAgree } from "../log/stream-position.ts";
import { type CatchUpPorts, PAGE_BYTES } from "./catch-up.ts";
import { Run, sizeOf } from "./run.ts";
import type { Subscription } from "./subscription.ts";
import type { TenantLoad } from "./tenant-load.ts";
import type { TurnJob } from "./turn-scheduler.ts";

/** What a channel tells of itself. */
export interface LiveChannelOwner extends CatchUpPorts {
  /** A run was offered to all subscriptions. */
  onFannedOut(run: Run, subscriptions: number): void;
  /** One holder fewer. */
  release(channel: LiveChannel): void;
}

/** Offers in one step of a fan-out. */
const SLICE_OFFERS = 32;
/** Bytes of all of these, unless one alone has more: what is large takes its time to be written. */
const SLICE_BYTES = 131_072;
/** Subscriptions that are touched one after the other before the first of them is offered anything. */
const OFFERS_A_TOUCH = 8;
const READ_TOP = { from: Number.MAX_SAFE_INTEGER, direction: "forward", maxCount: 1, maxBytes: 1 } as const;
const RETRY_MS = 1_000;
/** Shared by all that have none: never written to. */
const NONE: Subscription[] = [];
const NOTHING: LogEntry[] = [];

/**
 * A channel that somebody here is subscribed to. Takes entries from the broker as long as each follows the one before,
 * reads the log when one does not, and hands them in runs to its subscriptions.
 */
export class LiveChannel implements TurnJob, BrokerListener {
  // First what every publication looks at: it lies side by side, and is not in the processor's caches by then.
  #isOpen = false;
  #isSyncing = false;
  #epoch = "";
  #offset = 0;
  #check = 0;
  subscriptions: Subscription[] = NONE;
  #pending: LogEntry[] = NOTHING;
  /** That of the tenant: what is pending here is a part of it. */
  readonly load: TenantLoad;
  /** What is pending may be delivered: it has waited, or its kind has it wait for nothing. */
  #isDue: boolean;
  #isQueued = false;
  readonly #owner: LiveChannelOwner;
  readonly ref: ChannelRef;
  #run: Run | undefined;
  #nextIndex = 0;
  readonly kind: ChannelKind;
  /** Those who hold it: subscriptions, and subscribers on their way. */
  holders = 0;
  #isStale = false;
  #cancelDelay: CancelTimer | undefined;
  /** Live subscriptions that were elsewhere than the channel. */
  #strangers: Subscription[] = NONE;

  constructor(
    ref: ChannelRef,
    kind: ChannelKind,
    { owner, load }: { readonly owner: LiveChannelOwner; readonly load: TenantLoad },
  ) {
    this.ref = ref;
    this.kind = kind;
    this.load = load;
    this.#owner = owner;
    this.#isDue = kind.flushDelayMs === 0;
  }

  get top(): StreamPosition {
    return { epoch: this.#epoch, offset: this.#offset, check: this.#check };
  }

  /** Begins to listen; afterwards nothing that is appended escapes it for longer than `verify` is apart. */
  async open(): Promise<void> {
    const { broker } = this.#owner;
    await broker.subscribe(this.ref, this);
    const page = await broker.read(this.ref, READ_TOP);
    this.#moveTo({ epoch: page.epoch, ...page.top });
    this.#isOpen = true;
    if (this.#isStale) this.verify();
  }

  async close(): Promise<void> {
    this.#isOpen = false;
    this.#cancelDelay?.();
    this.#dropPending();
    if (this.#run !== undefined) this.load.add(-this.#run.size);
    this.#run = undefined;
    await this.#owner.broker.unsubscribe(this.ref, this);
  }

  /** Adds a subscription; one that stands before what was accepted already reads the log first. */
  add(subscription: Subscription): void {
    // The first one alone in its array: most channels of one reader stay so, and a push makes room for sixteen more.
    if (this.subscriptions.length === 0) this.subscriptions = [subscription];
    else this.subscriptions.push(subscription);
    subscription.index = this.subscriptions.length - 1;
    if (subscription.epoch !== this.#epoch || !this.join(subscription)) subscription.reader.catchUp.add(subscription);
  }

  /**
   * Takes a subscription that has read the log to its end as a live one. False: entries were accepted since, and it has
   * to read on. One that is elsewhere than the channel knows of is looked at again as soon as the channel has read too,
   * since what it has seen may be gone from the log.
   */
  join(subscription: Subscription): boolean {
    if (subscription.epoch === this.#epoch && subscription.next <= this.#offset) return false;
    if (this.#isAtTop(subscription)) return true;
    if (this.#strangers.length === 0) this.#strangers = [subscription];
    else this.#strangers.push(subscription);
    this.verify();
    return true;
  }

  end(subscription: Subscription): void {
    if (subscription.index < 0) return;
    this.#remove(subscription);
    this.#owner.release(this);
  }

  /** Removes it without moving one that the fan-out under way has served behind one that it has not. */
  #remove(subscription: Subscription): void {
    let hole = subscription.index;
    subscription.index = -1;
    if (hole < this.#nextIndex) {
      this.#nextIndex--;
      this.#move(this.#nextIndex, hole);
      hole = this.#nextIndex;
    }
    this.#move(this.subscriptions.length - 1, hole);
    this.subscriptions.pop();
  }

  onEntry(epoch: string, entry: LogEntry): void {
    if (this.#isOpen && !this.#isSyncing && epoch === this.#epoch) {
      if (entry.offset === this.#offset + 1 && entry.prevCheck === this.#check) {
        this.#accept(entry);
        return;
      }
      if (entry.offset < this.#offset || (entry.offset === this.#offset && entry.check === this.#check)) return;
    }
    this.verify();
  }

  onInterrupted(): void {
    this.verify();
  }

  /** Compares with the log and takes what is new. Returns at once; a failure is tried again. */
  verify(): void {
    this.#isStale = true;
    if (this.#isSyncing || !this.#isOpen) return;
    this.#isSyncing = true;
    this.#sync().then(
      () => {
        this.#isSyncing = false;
        // An entry may have come between the last look and now.
        if (this.#isStale) this.verify();
      },
      (error: unknown) => this.#syncAgainLater(error),
    );
  }

  /** Hands a slice of the run under way, or of the next one, to the subscriptions. */
  step(): boolean {
    const run = (this.#run ??= this.#nextRun());
    if (run === undefined) {
      this.#isQueued = false;
      return false;
    }
    const offers = Math.min(SLICE_OFFERS, Math.ceil(SLICE_BYTES / run.size));
    const end = Math.min(this.#nextIndex + offers, this.subscriptions.length);
    while (this.#nextIndex < end && this.#nextIndex < this.subscriptions.length) {
      if (this.#nextIndex > 0 && this.#nextIndex % OFFERS_A_TOUCH === 0) this.#owner.scheduler.touch(this);
      this.subscriptions[this.#nextIndex++]?.offer(run);
    }
    // An offer may close the last reader, and with it the channel: it has let go of the run then.
    if (this.#run === run && this.#nextIndex >= this.subscriptions.length) this.#finish(run);
    this.#isQueued = this.#run !== undefined || (this.#isDue && this.#pending.length > 0);
    return this.#isQueued;
  }

  touch(): number {
    const end = Math.min(this.#nextIndex + OFFERS_A_TOUCH, this.subscriptions.length);
    let touched = this.#pending[0]?.frame.length ?? 0;
    for (let index = this.#nextIndex; index < end; index++) touched ^= this.subscriptions[index]?.touch() ?? 0;
    return touched;
  }

  async #sync(): Promise<void> {
    while (this.#isStale && this.#isOpen) {
      this.#isStale = false;
      const page = await this.#owner.broker.read(this.ref, {
        from: this.#offset,
        direction: "forward",
        maxCount: 1024,
        maxBytes: PAGE_BYTES,
      });
      if (!this.#isOpen) return;
      const continuity = judgeForward(this.top, page);
      if (continuity.kind === "missed") {
        if (continuity.miss === RecoveryMiss.AHEAD || continuity.miss === RecoveryMiss.CHECK_MISMATCH) {
          // The log has lost what was delivered from it: only a new epoch tells readers so.
          await this.#owner.broker.renew(this.ref, page.epoch);
          this.#isStale = true;
          continue;
        }
        if (continuity.miss !== RecoveryMiss.RETENTION) this.#dropPending();
        this.#moveTo(continuity.position);
        for (const subscription of this.subscriptions) subscription.reader.catchUp.add(subscription);
      }
      for (const entry of page.entries) if (entry.offset === this.#offset + 1) this.#accept(entry);
      if (this.#offset < page.top.offset) this.#isStale = true;
      else this.#lookAtStrangers();
    }
  }

  #lookAtStrangers(): void {
    const strangers = this.#strangers;
    this.#strangers = NONE;
    for (const subscription of strangers) {
      if (subscription.index >= 0 && !this.#isAtTop(subscription)) subscription.reader.catchUp.add(subscription);
    }
  }

  #isAtTop({ epoch, next, check }: Subscription): boolean {
    return epoch === this.#epoch && next === this.#offset + 1 && tagsAgree(check, this.#check);
  }

  #moveTo({ epoch, offset, check }: StreamPosition): void {
    this.#epoch = epoch;
    this.#offset = offset;
    this.#check = check;
  }

  #syncAgainLater(error: unknown): void {
    this.#owner.logger.warn("channel_sync_failed", { tenant_id: this.ref.tenant, channel: this.ref.name, error });
    this.#owner.clock.after(RETRY_MS, () => {
      this.#isSyncing = false;
      this.verify();
    });
  }

  #accept(entry: LogEntry): void {
    this.#offset = entry.offset;
    this.#check = entry.check;
    if (this.subscriptions.length === 0) return;
    if (this.#pending.length === 0) this.#pending = [entry];
    else this.#pending.push(entry);
    this.load.add(entry.frame.length);
    if (this.#isDue) this.#queue();
    else this.#cancelDelay ??= this.#owner.clock.after(this.kind.flushDelayMs, () => this.#becomeDue());
  }

  /** The first of those that wait has waited for as long as its kind says. */
  #becomeDue(): void {
    this.#cancelDelay = undefined;
    this.#isDue = true;
    this.#queue();
  }

  #queue(): void {
    if (this.#isQueued) return;
    this.#isQueued = true;
    this.#owner.scheduler.add(this.load.tenant, this);
  }

  /** Takes consecutive entries of one epoch up to the size of a frame. */
  #nextRun(): Run | undefined {
    const first = this.#isDue ? this.#pending[0] : undefined;
    if (first === undefined) {
      this.#isDue = this.kind.flushDelayMs === 0;
      return undefined;
    }
    let bytes = 0;
    let count = 0;
    for (const entry of this.#pending) {
      bytes += entry.frame.length;
      if (count > 0 && (bytes > PAGE_BYTES || entry.offset !== first.offset + count)) break;
      count++;
    }
    const entries = count === this.#pending.length ? this.#pending : this.#pending.slice(0, count);
    this.#pending = count === this.#pending.length ? NOTHING : this.#pending.slice(count);
    this.#isDue = this.kind.flushDelayMs === 0 || this.#pending.length > 0;
    return new Run(this.#epoch, entries);
  }

  #dropPending(): void {
    if (this.#pending.length > 0) this.load.add(-sizeOf(this.#pending));
    this.#pending = NOTHING;
  }

  #finish(run: Run): void {
    this.#run = undefined;
    this.#nextIndex = 0;
    this.load.add(-run.size);
    this.#owner.onFannedOut(run, this.subscriptions.length);
  }

  #move(from: number, to: number): void {
    const subscription = this.subscriptions[from];
    if (subscription === undefined || from === to) return;
    this.subscriptions[to] = subscription;
    subscription.index = to;
  }
}
