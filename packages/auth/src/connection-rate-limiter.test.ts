import { ManualClock } from "@pm/core/testing";
import { describe, expect, it } from "vitest";
import { ConnectionRateLimiter } from "./connection-rate-limiter.ts";
import type { RateLimit } from "./rate-limit-config.ts";
import { RateLimiterFactory } from "./rate-limiter-factory.ts";

const THREE_A_SECOND = { maxRequests: 3, windowSecs: 1 };

function limiterOf(config: { maxRequests: number; windowSecs: number }) {
  const clock = new ManualClock();
  return { clock, limiter: new RateLimiterFactory(config, clock).create() };
}

describe("ConnectionRateLimiter", () => {
  it("given a new limiter, when the burst is taken, then it passes and the next is told how long to wait", () => {
    const { limiter } = limiterOf(THREE_A_SECOND);
    expect([limiter.check(), limiter.check(), limiter.check()]).toEqual([0, 0, 0]);
    expect(limiter.check()).toBe(334);
  });

  it("given a refused check, when it is repeated, then it has taken nothing", () => {
    const { clock, limiter } = limiterOf(THREE_A_SECOND);
    limiter.check(3);
    for (let i = 0; i < 100; i++) expect(limiter.check()).toBe(334);
    clock.advance(333);
    expect(limiter.check()).toBe(1);
    clock.advance(1);
    expect(limiter.check()).toBe(0);
  });

  it("given an empty limiter, when the window is over, then the whole burst passes again, and no more", () => {
    const { clock, limiter } = limiterOf(THREE_A_SECOND);
    limiter.check(3);
    clock.advance(1000);
    expect(limiter.check(3)).toBe(0);
    clock.advance(1_000_000_000);
    expect(limiter.check(3)).toBe(0);
    expect(limiter.check(3)).toBe(1000);
  });

  it("given a time within a tick, when the burst is taken in parts, then all of it passes", () => {
    const { clock, limiter } = limiterOf(THREE_A_SECOND);
    clock.advance(0.000_3);
    expect([limiter.check(), limiter.check(0), limiter.check(2)]).toEqual([0, 0, 0]);
    const wait = limiter.check();
    clock.advance(wait);
    expect(limiter.check()).toBe(0);
  });

  it("given a cost above the burst, when it is checked, then it never passes and takes nothing", () => {
    const { limiter } = limiterOf(THREE_A_SECOND);
    expect(limiter.check(4)).toBe(Number.POSITIVE_INFINITY);
    expect(limiter.check(Number.POSITIVE_INFINITY)).toBe(Number.POSITIVE_INFINITY);
    expect(limiter.check(3)).toBe(0);
  });

  it("given a cost of 0, when the limiter is empty, then it passes and takes nothing", () => {
    const { limiter } = limiterOf(THREE_A_SECOND);
    limiter.check(3);
    expect(limiter.check(0)).toBe(0);
    expect(limiter.check()).toBe(334);
  });

  it("given a cost with a fraction, when it is checked, then it counts as the next whole number", () => {
    const { limiter } = limiterOf(THREE_A_SECOND);
    expect(limiter.check(1.01)).toBe(0);
    expect(limiter.check(2)).toBe(334);
  });

  it("given a configuration instead of a limit, when a limiter is made, then that is an error, and not a limiter that lets all pass", () => {
    const config = THREE_A_SECOND as unknown as RateLimit;
    expect(() => new ConnectionRateLimiter(config, new ManualClock())).toThrow(
      expect.objectContaining({ code: "INVALID_OPTION", field: "limit" }),
    );
  });

  it.each([-1, Number.NaN, Number.NEGATIVE_INFINITY])(
    "given a cost of %d, when it is checked, then it throws and takes nothing",
    (cost) => {
      const { limiter } = limiterOf(THREE_A_SECOND);
      expect(() => limiter.check(cost)).toThrow(RangeError);
      expect(limiter.check(3)).toBe(0);
    },
  );

  it("given a wait a little over a millisecond, when it is told, then it is rounded up", () => {
    const { clock, limiter } = limiterOf({ maxRequests: 2049, windowSecs: 0.002 });
    limiter.check(2049);
    expect(limiter.check(1025)).toBe(2);
    clock.advance(1);
    expect(limiter.check(1025)).toBe(1);
  });

  it("given a limiter, when it owes something, then it is not full until that is paid", () => {
    const { clock, limiter } = limiterOf(THREE_A_SECOND);
    expect(limiter.isFull()).toBe(true);
    limiter.check();
    clock.advance(333);
    expect(limiter.isFull()).toBe(false);
    clock.advance(1);
    expect(limiter.isFull()).toBe(true);
  });

  it("given a time within a tick, when nothing was taken, then the limiter is full", () => {
    const { clock, limiter } = limiterOf(THREE_A_SECOND);
    clock.advance(0.000_3);
    limiter.check(0);
    expect(limiter.isFull()).toBe(true);
  });

  it("given two limiters of one factory, when one is empty, then the other is not", () => {
    const factory = new RateLimiterFactory({ maxRequests: 1 }, new ManualClock());
    const [a, b] = [factory.create(), factory.create()];
    expect([a.check(), b.check()]).toEqual([0, 0]);
    expect(a.check()).toBe(60_000);
  });
});
