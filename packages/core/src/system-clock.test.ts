import { afterEach, describe, expect, it, vi } from "vitest";
import { sleep } from "./clock.ts";
import { systemClock } from "./system-clock.ts";

const DAYS_30_MS = 30 * 24 * 60 * 60 * 1000;

describe("systemClock", () => {
  afterEach(() => vi.useRealTimers());

  it("given a delay, when it has passed, then the callback has come once and both readings have moved on", async () => {
    const before = { now: systemClock.now(), monotonic: systemClock.monotonic() };
    let calls = 0;
    systemClock.after(5, () => calls++);
    await sleep(systemClock, 30);
    expect(calls).toBe(1);
    expect(systemClock.monotonic() - before.monotonic).toBeGreaterThan(25);
    expect(systemClock.now()).toBeGreaterThanOrEqual(before.now);
  });

  it("given an interval, when it is cancelled at its third call, then there is no fourth", async () => {
    let calls = 0;
    await new Promise<void>((resolve) => {
      const cancel = systemClock.every(1, () => {
        if (++calls < 3) return;
        cancel();
        resolve();
      });
    });
    await sleep(systemClock, 10);
    expect(calls).toBe(3);
  });

  it("given a cancelled timer, when its time has passed, then nothing came, and cancelling again does nothing", async () => {
    let calls = 0;
    const cancel = systemClock.after(1, () => calls++);
    cancel();
    cancel();
    await sleep(systemClock, 10);
    expect(calls).toBe(0);
  });

  it("given times beyond the 24.8 days of a platform timer, when some milliseconds pass, then nothing has fired", async () => {
    let calls = 0;
    const cancels = [
      systemClock.after(DAYS_30_MS, () => calls++),
      systemClock.after(Number.POSITIVE_INFINITY, () => calls++),
      systemClock.every(DAYS_30_MS, () => calls++),
    ];
    await sleep(systemClock, 20);
    for (const cancel of cancels) cancel();
    expect(calls).toBe(0);
  });

  it("given a delay of 30 days, when it has passed, then the callback has come once, unless it was cancelled on the way", () => {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    let calls = 0;
    systemClock.after(DAYS_30_MS, () => calls++);
    const cancel = systemClock.after(DAYS_30_MS, () => (calls += 10));
    vi.advanceTimersByTime(DAYS_30_MS - 1);
    cancel();
    expect(calls).toBe(0);
    vi.advanceTimersByTime(DAYS_30_MS);
    expect(calls).toBe(1);
  });

  it("given timers that wait, when the process has nothing else to do, then they do not keep it alive", () => {
    const before = process.getActiveResourcesInfo();
    const cancels = [
      systemClock.after(60_000, () => undefined),
      systemClock.after(DAYS_30_MS, () => undefined),
      systemClock.every(60_000, () => undefined),
    ];
    expect(process.getActiveResourcesInfo()).toEqual(before);
    for (const cancel of cancels) cancel();
  });

  it("given a wall clock that is set back, when the time is read, then only now() goes back", () => {
    const before = systemClock.monotonic();
    vi.useFakeTimers({ toFake: ["Date"], now: 0 });
    expect(systemClock.now()).toBe(0);
    expect(systemClock.monotonic()).toBeGreaterThanOrEqual(before);
  });
});
