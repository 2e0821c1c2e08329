import { ManualClock } from "@pm/core/testing";
import { describe, expect, it } from "vitest";
import { AuthOptionError } from "./auth-option-error.ts";
import { KeyedRateLimiter } from "./keyed-rate-limiter.ts";

describe("KeyedRateLimiter", () => {
  it("given two keys, when one is over its rate, then the other is not", () => {
    const limiter = new KeyedRateLimiter({ maxRequests: 1, windowSecs: 1, clock: new ManualClock() });
    expect([limiter.check("a"), limiter.check("a"), limiter.check("b")]).toEqual([0, 1000, 0]);
  });

  it("given names of inherited members as keys, when they are checked, then they are keys like others", () => {
    const limiter = new KeyedRateLimiter({ maxRequests: 1, windowSecs: 1, clock: new ManualClock() });
    for (const key of ["__proto__", "constructor", ""])
      expect([limiter.check(key), limiter.check(key)]).toEqual([0, 1000]);
  });

  it("given keys that are full again, when another is checked, then they are forgotten", () => {
    const clock = new ManualClock();
    const limiter = new KeyedRateLimiter({ maxRequests: 10, windowSecs: 1, clock });
    for (let i = 0; i < 100; i++) limiter.check(`key ${i}`);
    expect(limiter.size).toBe(100);
    clock.advance(1000);
    for (let i = 0; i < 100; i++) limiter.check("one");
    expect(limiter.size).toBe(1);
  });

  it("given keys that are full again, when new ones come, then two are forgotten for each of them", () => {
    const clock = new ManualClock();
    const limiter = new KeyedRateLimiter({ maxRequests: 10, windowSecs: 1, clock });
    for (let i = 0; i < 100; i++) limiter.check(`old ${i}`);
    clock.advance(1000);
    for (let i = 0; i < 50; i++) limiter.check(`new ${i}`);
    expect(limiter.size).toBe(50);
  });

  it("given no bound of keys, when 10 001 come, then the first is forgotten", () => {
    const limiter = new KeyedRateLimiter({ maxRequests: 1, clock: new ManualClock() });
    for (let i = 0; i <= 10_000; i++) limiter.check(`key ${i}`);
    expect([limiter.size, limiter.check("key 1"), limiter.check("key 0")]).toEqual([10_000, 60_000, 0]);
  });

  it("given a check that takes nothing, when its limiter is full, then the key is not remembered", () => {
    const limiter = new KeyedRateLimiter({ maxRequests: 1, clock: new ManualClock() });
    expect(limiter.check("a", 2)).toBe(Number.POSITIVE_INFINITY);
    expect(limiter.size).toBe(0);
  });

  it("given as many keys as may be, when one more comes, then the least recently checked is forgotten", () => {
    const limiter = new KeyedRateLimiter({ maxRequests: 1, maxKeys: 3, clock: new ManualClock() });
    for (const key of ["a", "b", "c"]) limiter.check(key);
    expect(limiter.check("a")).toBe(60_000);
    expect(limiter.check("d")).toBe(0);
    expect(limiter.size).toBe(3);
    expect([limiter.check("a"), limiter.check("c"), limiter.check("d")]).toEqual([60_000, 60_000, 60_000]);
    expect(limiter.check("b")).toBe(0);
  });

  it("given a key that is forgotten, when it comes back, then it begins full", () => {
    const limiter = new KeyedRateLimiter({ maxRequests: 1, clock: new ManualClock() });
    limiter.check("a");
    limiter.forget("a");
    expect(limiter.check("a")).toBe(0);
  });

  it.each([{ maxKeys: 0 }, { maxKeys: 1.5 }, { maxKeys: 10_000_001 }, { maxRequests: 0 }])(
    "given %j, when one is made, then it is refused",
    (options) => {
      expect(() => new KeyedRateLimiter(options)).toThrow(AuthOptionError);
    },
  );
});
