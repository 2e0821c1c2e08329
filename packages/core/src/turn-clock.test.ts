import { expect, test } from "vitest";
import { ManualClock } from "./testing/manual-clock.ts";
import { TurnClock } from "./turn-clock.ts";

/** Lasts until another callback of the event loop. */
async function nextCallback(): Promise<void> {
  await new Promise<void>((resolve) => {
    setTimeout(resolve);
  });
}

test("given a clock that moves on, when it is asked twice in one callback, then the time has stood still", () => {
  const manual = new ManualClock();
  const clock = new TurnClock(manual);
  const before = { now: clock.now(), monotonic: clock.monotonic() };
  manual.advance(5);
  expect({ now: clock.now(), monotonic: clock.monotonic() }).toEqual(before);
});

test.each(["now", "monotonic"] as const)(
  "given a clock that moves on, when %s is the first that is asked in each callback, then both have moved with it",
  async (first) => {
    const manual = new ManualClock();
    const clock = new TurnClock(manual);
    for (let callback = 0; callback < 3; callback++) {
      clock[first]();
      expect({ now: clock.now(), monotonic: clock.monotonic() }).toEqual({
        now: manual.now(),
        monotonic: manual.monotonic(),
      });
      await nextCallback();
      manual.advance(5);
    }
  },
);

test("given timers, when their time has come, then they are called as by the clock, and not after they were ended", () => {
  const manual = new ManualClock();
  const clock = new TurnClock(manual);
  const calls: string[] = [];
  clock.after(10, () => calls.push("after"));
  clock.after(10, () => calls.push("ended"))();
  const end = clock.every(10, () => calls.push("every"));
  manual.advance(20);
  end();
  manual.advance(20);
  expect(calls).toEqual(["after", "every", "every"]);
});
