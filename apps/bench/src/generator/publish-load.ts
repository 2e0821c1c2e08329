import type { ChannelPublishers } from "./channel-publishers.ts";
import type { Pace } from "./generator-protocol.ts";

/** Silence after which what is missing is given up. */
const SILENCE_MS = 1_000;
/** Publications of one turn, when the pace is a rate and the generator is behind. */
const MAX_BURST = 64;
/** Publications of one turn of a flood, after which deliveries are looked at. */
const MAX_FLOOD = 4_096;

/** What paces publications. */
export interface PublishLoadPorts {
  readonly publishers: Pick<ChannelPublishers, "publish" | "isFull">;
  /** Deliveries so far, in all. */
  readonly delivered: () => number;
  /** Deliveries that each publication becomes. */
  readonly fanOut: number;
}

/** Publishes, in each turn as much as its pace allows. */
export class PublishLoad {
  /** Deliveries that were given up. */
  lost = 0;
  readonly #ports: PublishLoadPorts;
  readonly #pace: Pace;
  readonly #startMs: number;
  readonly #startDelivered: number;
  #published = 0;
  #lastDelivered = 0;
  #lastDeliveryMs: number;

  constructor(ports: PublishLoadPorts, pace: Pace, nowMs: number) {
    this.#ports = ports;
    this.#pace = pace;
    this.#startMs = nowMs;
    this.#lastDeliveryMs = nowMs;
    this.#startDelivered = ports.delivered();
  }

  /** Returns how many publications went out. */
  turn(nowMs: number): number {
    switch (this.#pace.kind) {
      case "rate":
        return this.#atRate(this.#pace.perSec, nowMs);
      case "outstanding":
        return this.#upToOutstanding(this.#pace.count, nowMs);
      case "flood":
        return this.#untilFull();
      default:
        return this.#pace satisfies never;
    }
  }

  #atRate(perSec: number, nowMs: number): number {
    const due = Math.floor(((nowMs - this.#startMs) / 1000) * perSec) - this.#published;
    return this.#publish(Math.min(due, MAX_BURST));
  }

  #upToOutstanding(count: number, nowMs: number): number {
    const { fanOut } = this.#ports;
    const delivered = this.#ports.delivered() - this.#startDelivered;
    this.#giveUpAfterSilence(delivered, nowMs);
    const underWay = Math.ceil((this.#published * fanOut - delivered - this.lost) / fanOut);
    return this.#publish(count - underWay);
  }

  #untilFull(): number {
    let published = 0;
    while (published < MAX_FLOOD && !this.#ports.publishers.isFull) published += this.#publish(1);
    return published;
  }

  #giveUpAfterSilence(delivered: number, nowMs: number): void {
    if (delivered === this.#lastDelivered && nowMs - this.#lastDeliveryMs < SILENCE_MS) return;
    if (delivered === this.#lastDelivered) this.lost = this.#published * this.#ports.fanOut - delivered;
    this.#lastDelivered = delivered;
    this.#lastDeliveryMs = nowMs;
  }

  #publish(count: number): number {
    for (let i = 0; i < count; i++) this.#ports.publishers.publish();
    const published = Math.max(0, count);
    this.#published += published;
    return published;
  }
}
