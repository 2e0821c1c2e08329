import type { Clock, Logger, TenantId } from "@pm/core";
import { RecoveryMiss } from "@pm/proto";
import type { Broker, LogPage } from "../log/broker.ts";
import { judgeForward } from "../log/log-cursor.ts";
import type { StreamPosition } from "../log/stream-position.ts";
import { WsError } from "../ws-error.ts";
import { Run } from "./run.ts";
import type { Reader, Subscription } from "./subscription.ts";
import type { TurnJob, TurnScheduler } from "./turn-scheduler.ts";

/** What catching up needs. */
export interface CatchUpPorts {
  readonly broker: Broker;
  readonly scheduler: TurnScheduler;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** Bytes of a page: also the size of the largest frame. */
export const PAGE_BYTES = 65_536;
const PAGE_ENTRIES = 1024;
const RETRY_MS = 1_000;
/**
 * What a page costs, in milliseconds: copied in binary, made anew in JSON. Measured with 333 publications of 128 bytes.
 */
const PAGE_COST_MS = { proto: 0.11, json: 1.2 } as const;

/**
 * The subscriptions of one connection that are not live: after a reconnect, after a gap, after a full socket. They take
 * turns, a page of the log each, while the socket is below its mark, until each has reached the top.
 */
export class CatchUp implements TurnJob {
  readonly setsOffMs: number;
  readonly #reader: Reader;
  readonly #tenant: TenantId;
  readonly #ports: CatchUpPorts;
  readonly #waiting: Subscription[] = [];
  #busy = false;
  #closed = false;

  constructor(reader: Reader, tenant: TenantId, ports: CatchUpPorts) {
    this.#reader = reader;
    this.setsOffMs = PAGE_COST_MS[reader.encoding];
    this.#tenant = tenant;
    this.#ports = ports;
  }

  /** Subscriptions that wait. */
  get size(): number {
    return this.#waiting.length;
  }

  /** Has the subscription read the log from where it is. */
  add(subscription: Subscription): void {
    if (subscription.isCatchingUp || this.#closed) return;
    subscription.isCatchingUp = true;
    this.#waiting.push(subscription);
    this.wake();
  }

  /** Goes on, after the socket has taken what it held. */
  wake(): void {
    if (this.#busy || this.#closed || this.#waiting.length === 0) return;
    this.#busy = true;
    this.#ports.scheduler.add(this.#tenant, this);
  }

  close(): void {
    this.#closed = true;
    this.#waiting.length = 0;
  }

  /** Begins to read one page. Goes on in a later turn. */
  step(): boolean {
    const subscription = this.#reader.outbox.isBehind ? undefined : this.#nextWaiting();
    if (subscription === undefined) {
      this.#busy = false;
      return false;
    }
    this.#readPage(subscription).then(
      (pause) => {
        this.#busy = false;
        if (!pause) this.wake();
      },
      (error: unknown) => this.#retryLater(subscription, error),
    );
    return false;
  }

  #nextWaiting(): Subscription | undefined {
    for (;;) {
      const subscription = this.#waiting.shift();
      if (subscription === undefined || subscription.index >= 0) return subscription;
    }
  }

  /** True when the socket is full. */
  async #readPage(subscription: Subscription): Promise<boolean> {
    if (subscription.maySkip) await this.#skipToNewest(subscription);
    const { channel, epoch } = subscription;
    const { top } = channel;
    const from = subscription.next - 1;
    const page = await this.#ports.broker.read(channel.ref, {
      from,
      direction: "forward",
      maxCount: PAGE_ENTRIES,
      maxBytes: PAGE_BYTES,
    });
    // The cursor was moved, or the subscription ended, while the page was read.
    if (subscription.index < 0) return false;
    if (subscription.next - 1 !== from || subscription.epoch !== epoch) {
      this.#waiting.push(subscription);
      return false;
    }
    if (page.epoch === top.epoch && page.top.offset < top.offset) {
      channel.verify();
      throw WsError.unavailable(`the log ends at ${page.top.offset}, and ${top.offset} came from it`);
    }
    await this.#deliver(subscription, page);
    // A page is as large as a frame may be: written at once, so that a full socket is seen before the next one is read.
    this.#reader.outbox.flush();
    return this.#reader.outbox.isBehind;
  }

  async #deliver(subscription: Subscription, page: LogPage): Promise<void> {
    const continuity = judgeForward(subscription.position, page);
    if (continuity.kind === "missed") {
      if (continuity.miss === RecoveryMiss.AHEAD || continuity.miss === RecoveryMiss.CHECK_MISMATCH) {
        // This cursor was right when it was set: the log has lost something.
        this.#waiting.push(subscription);
        await this.#ports.broker.renew(subscription.channel.ref, page.epoch);
        return;
      }
      this.#tell(subscription, continuity);
    }
    const entries = page.entries.filter((entry) => entry.offset >= subscription.next);
    const first = entries[0];
    if (first !== undefined && first.offset === subscription.next) {
      subscription.take(new Run(page.epoch, entries));
    }
    if (subscription.next > page.top.offset && subscription.channel.join(subscription))
      subscription.isCatchingUp = false;
    else this.#waiting.push(subscription);
  }

  /** Under the policy `latest`: jumps to just before the newest publication; what follows is read as always. */
  async #skipToNewest(subscription: Subscription): Promise<void> {
    subscription.maySkip = false;
    const page = await this.#ports.broker.read(subscription.channel.ref, {
      from: Number.MAX_SAFE_INTEGER,
      direction: "backward",
      maxCount: 1,
      maxBytes: PAGE_BYTES,
    });
    if (subscription.index < 0) return;
    const [newest] = page.entries;
    if (newest === undefined || page.epoch !== subscription.epoch || newest.offset <= subscription.next) return;
    this.#tell(subscription, {
      miss: RecoveryMiss.SKIPPED,
      missedCount: newest.offset - subscription.next,
      position: { epoch: page.epoch, offset: newest.offset - 1, check: newest.prevCheck },
    });
  }

  #tell(
    subscription: Subscription,
    lag: { readonly miss: RecoveryMiss; readonly missedCount: number; readonly position: StreamPosition },
  ): void {
    const { epoch, offset, check } = lag.position;
    const value = {
      channel: subscription.channel.ref.name,
      missedCount: BigInt(lag.missedCount),
      position: { epoch, offset: BigInt(offset), check },
      reason: lag.miss,
    };
    this.#reader.send({ case: "lagged", value });
    subscription.moveTo(lag.position);
  }

  #retryLater(subscription: Subscription, error: unknown): void {
    this.#ports.logger.warn("catch_up_failed", {
      tenant_id: this.#tenant,
      user_id: this.#reader.context.user,
      connection_id: this.#reader.id,
      channel: subscription.channel.ref.name,
      error,
    });
    if (!this.#waiting.includes(subscription)) this.#waiting.push(subscription);
    this.#ports.clock.after(RETRY_MS, () => {
      this.#busy = false;
      this.wake();
    });
  }
}
