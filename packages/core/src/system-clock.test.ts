import { describe, expect, it } from "vitest";
import { sleep } from "./clock.ts";
import { systemClock } from "./system-clock.ts";

const DAYS_30_MS = 30 * 24 * 60 * 60 * 1000;

describe("systemClock", () => {
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
});
