import { describe, expect, it } from "vitest";
import { sleep } from "./clock.ts";
import { ManualClock } from "./testing/manual-clock.ts";

describe("sleep", () => {
  it("given a sleeper, when the clock reaches its time and no earlier, then it wakes", async () => {
    const clock = new ManualClock();
    let awake = false;
    const sleeper = sleep(clock, 100).then(() => (awake = true));
    clock.advance(99);
    await Promise.resolve();
    expect(awake).toBe(false);
    clock.advance(1);
    await sleeper;
    expect(awake).toBe(true);
  });
});
