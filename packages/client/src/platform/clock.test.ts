import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { systemClock } from "./clock.ts";

const DAY_MS = 86_400_000;

describe("systemClock", () => {
  beforeEach(() => {
    vi.useFakeTimers();
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  it("given a delay longer than a platform timer can hold, when it has passed, then it fires once, then", () => {
    let fired = 0;
    systemClock.after(60 * DAY_MS, () => fired++);
    vi.advanceTimersByTime(60 * DAY_MS - 1);
    expect(fired).toBe(0);
    vi.advanceTimersByTime(1);
    expect([fired, vi.getTimerCount()]).toEqual([1, 0]);
  });

  it("given a delay that is cancelled in its second part, when time passes, then it does not fire", () => {
    let fired = 0;
    const cancel = systemClock.after(60 * DAY_MS, () => fired++);
    vi.advanceTimersByTime(30 * DAY_MS);
    cancel();
    cancel();
    vi.advanceTimersByTime(60 * DAY_MS);
    expect([fired, vi.getTimerCount()]).toEqual([0, 0]);
  });

  it("given a machine that sleeps, when it wakes, then the time has passed; a time of day that is set back changes nothing", () => {
    const startMs = systemClock.monotonic();
    vi.setSystemTime(Date.now() + DAY_MS);
    expect(systemClock.monotonic() - startMs).toBe(DAY_MS);
    vi.setSystemTime(Date.now() - 2 * DAY_MS);
    vi.advanceTimersByTime(10);
    expect(systemClock.monotonic() - startMs).toBe(DAY_MS + 10);
    vi.setSystemTime(Date.now() + 999);
    expect(systemClock.monotonic() - startMs).toBe(DAY_MS + 10);
  });
});
