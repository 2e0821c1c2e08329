import type { CancelTimer, Clock } from "@pm/core";
import { graded, type SubsystemReport, type WatchedSubsystem } from "./subsystem.ts";

const TICK_MS = 100;
/** Looks back over this many spans of a second. */
const SPANS = 5;
const TICKS_A_SPAN = 10;
const LAG_MS = { degraded: 250, failed: 5_000 };

/** How late the event loop is: the worst of the last five seconds, from a timer that should come every 100 ms. */
export class EventLoop implements WatchedSubsystem {
  readonly name = "event_loop";
  readonly #clock: Clock;
  /** The worst of each span, the newest first. */
  readonly #spans: number[] = [0];
  #ticks = 0;
  #lastMs = 0;
  #cancel: CancelTimer | undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  async start(): Promise<void> {
    if (this.#cancel !== undefined) return;
    this.#lastMs = this.#clock.monotonic();
    this.#cancel = this.#clock.every(TICK_MS, () => this.#tick());
  }

  report(): SubsystemReport {
    const lagMs = Math.max(...this.#spans);
    return { state: graded(lagMs, LAG_MS), numbers: { lag_ms: Math.round(lagMs) } };
  }

  close(): void {
    this.#cancel?.();
  }

  #tick(): void {
    const nowMs = this.#clock.monotonic();
    const lagMs = nowMs - this.#lastMs - TICK_MS;
    this.#lastMs = nowMs;
    if (++this.#ticks % TICKS_A_SPAN === 0) {
      this.#spans.unshift(0);
      this.#spans.length = Math.min(this.#spans.length, SPANS);
    }
    this.#spans[0] = Math.max(this.#spans[0] ?? 0, lagMs);
  }
}
