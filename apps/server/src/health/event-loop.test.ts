import type { CancelTimer, Clock } from "@pm/core";
import { ManualClock } from "@pm/core/testing";
import { describe, expect, it } from "vitest";
import { EventLoop } from "./event-loop.ts";

/** A clock whose one timer comes as late as the test says. */
class LateClock implements Clock {
  /** The machine has run for long when the process starts. */
  #nowMs = 1_000_000;
  #tick = (): void => undefined;

  now(): number {
    return this.#nowMs;
  }

  monotonic(): number {
    return this.#nowMs;
  }

  after(): CancelTimer {
    throw new Error("there is no such timer");
  }

  every(_ms: number, callback: () => void): CancelTimer {
    this.#tick = callback;
    return () => {
      this.#tick = () => undefined;
    };
  }

  /** The timer comes, so much after the last time. */
  tickAfter(ms: number): void {
    this.#nowMs += ms;
    this.#tick();
  }
}

async function started(): Promise<{ readonly clock: LateClock; readonly eventLoop: EventLoop }> {
  const clock = new LateClock();
  const eventLoop = new EventLoop(clock);
  await eventLoop.start();
  return { clock, eventLoop };
}

describe("EventLoop", () => {
  it.each([
    [100, "ok", 0],
    [90, "ok", 0],
    [349, "ok", 249],
    [349.4, "ok", 249],
    [350, "degraded", 250],
    [5_099, "degraded", 4_999],
    [5_100, "failed", 5_000],
  ] as const)("given a timer that comes after %d ms, when asked, then it is %s", async (ms, state, lag) => {
    const { clock, eventLoop } = await started();
    clock.tickAfter(ms);
    expect(eventLoop.report()).toEqual({ state, numbers: { lag_ms: lag } });
  });

  it("given it was started twice, when it is closed, then no timer is left", async () => {
    const clock = new ManualClock();
    const eventLoop = new EventLoop(clock);
    await Promise.all([eventLoop.start(), eventLoop.start()]);
    expect(clock.pending).toBe(1);
    eventLoop.close();
    expect(clock.pending).toBe(0);
  });

  it("given one late timer, when five seconds of good ones have come, then it is forgotten, and not long before", async () => {
    const { clock, eventLoop } = await started();
    clock.tickAfter(1_000);
    for (let n = 0; n < 39; n += 1) clock.tickAfter(100);
    expect(eventLoop.report().numbers["lag_ms"]).toBe(900);
    for (let n = 0; n < 11; n += 1) clock.tickAfter(100);
    expect(eventLoop.report()).toEqual({ state: "ok", numbers: { lag_ms: 0 } });
  });
});
