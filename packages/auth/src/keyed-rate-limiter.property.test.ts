import { ManualClock } from "@pm/core/testing";
import * as fc from "fast-check";
import { expect, it } from "vitest";
import { KeyedRateLimiter } from "./keyed-rate-limiter.ts";
import { RateLimiterFactory } from "./rate-limiter-factory.ts";

const LIMIT = { maxRequests: 5, windowSecs: 1 };
const steps = fc.array(fc.record({ key: fc.nat(9).map(String), cost: fc.nat(6), ms: fc.nat(400) }), { maxLength: 100 });

it("given enough room, when keys are checked in any order, then each is as if it had a limiter of its own", () => {
  fc.assert(
    fc.property(steps, (taken) => {
      const clock = new ManualClock();
      const keyed = new KeyedRateLimiter({ ...LIMIT, clock, maxKeys: 10 });
      const factory = new RateLimiterFactory(LIMIT, clock);
      const own = new Map(Array.from({ length: 10 }, (_, key) => [String(key), factory.create()]));
      for (const { key, cost, ms } of taken) {
        clock.advance(ms);
        expect(keyed.check(key, cost)).toBe(own.get(key)?.check(cost));
      }
    }),
  );
});

it("given any keys, when they are checked, then no more are remembered than may be", () => {
  fc.assert(
    fc.property(steps, fc.integer({ min: 1, max: 5 }), (taken, maxKeys) => {
      const clock = new ManualClock();
      const keyed = new KeyedRateLimiter({ ...LIMIT, clock, maxKeys });
      for (const { key, cost, ms } of taken) {
        clock.advance(ms);
        keyed.check(key, cost);
        expect(keyed.size).toBeLessThanOrEqual(maxKeys);
      }
    }),
  );
});
