import { describe, expect, it } from "vitest";
import { ManualClock } from "./manual-clock.ts";

describe("ManualClock", () => {
  it("given a start time, when nothing moves it, then it stands still", () => {
    const clock = new ManualClock(1000);
    expect([clock.now(), clock.monotonic(), clock.pending]).toEqual([1000, 0, 0]);
  });

  it("given a timer set by a callback and due within the same step, when time moves on, then it fires at its own time", () => {
    const clock = new ManualClock();
    const firedAt: number[] = [];
    clock.after(10, () => clock.after(5, () => firedAt.push(clock.monotonic())));
    clock.advance(100);
    expect(firedAt).toEqual([15]);
  });

  it("given an interval that ends itself, when time moves on, then it fires no more", () => {
    const clock = new ManualClock();
    let calls = 0;
    const cancel = clock.every(10, () => {
      if (++calls === 2) cancel();
    });
    clock.advance(1000);
    expect([calls, clock.pending]).toEqual([2, 0]);
  });

  it("given an interval of 0, when time moves on, then it counts as 1 ms", () => {
    const clock = new ManualClock();
    let calls = 0;
    clock.every(0, () => calls++);
    clock.advance(0);
    expect(calls).toBe(0);
    clock.advance(3);
    expect(calls).toBe(3);
  });

  it("given a negative delay, when time moves on by nothing, then the timer fires", () => {
    const clock = new ManualClock();
    let calls = 0;
    clock.after(-5, () => calls++);
    clock.advance(0);
    expect([calls, clock.monotonic()]).toEqual([1, 0]);
  });

  it("given a callback that moves time far on, when the outer step ends, then time has not gone back", () => {
    const clock = new ManualClock();
    clock.after(1, () => clock.advance(100));
    clock.advance(10);
    expect(clock.monotonic()).toBe(101);
  });

  it.each([-1, Number.NaN])("given %d ms, when it is told to advance by it, then it refuses", (ms) => {
    expect(() => new ManualClock().advance(ms)).toThrow(RangeError);
  });
});
