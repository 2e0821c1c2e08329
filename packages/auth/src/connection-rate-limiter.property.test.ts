import type { Clock } from "@pm/core";
import { ManualClock } from "@pm/core/testing";
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ConnectionRateLimiter } from "./connection-rate-limiter.ts";
import { resolveRateLimit } from "./rate-limit-config.ts";

/** Times are counted in these parts of a millisecond: finer than the limiter's ticks, and exact in floating point. */
const PARTS_PER_MS = 16_384;

const limitOf = (maxRequests: number, windowMs: number) =>
  resolveRateLimit({ maxRequests, windowSecs: windowMs / 1000 });
const limits = fc
  .tuple(fc.integer({ min: 1, max: 1000 }), fc.integer({ min: 1, max: 100_000 }))
  .map((of) => limitOf(...of));
/** Steps of very different lengths, and costs around the burst and far below it. */
const steps = fc.array(
  fc.record({
    parts: fc.oneof(fc.constant(0), fc.nat(PARTS_PER_MS), fc.nat(5_000 * PARTS_PER_MS)),
    cost: fc.oneof(fc.integer({ min: 1, max: 3 }), fc.nat(1000)),
  }),
  { maxLength: 60 },
);

/** The burst, then steps around the length of a tick with costs around what it refills. */
const smallSteps = fc
  .array(fc.record({ parts: fc.nat(48), cost: fc.integer({ min: 1, max: 12 }) }), { maxLength: 60 })
  .map((small) => [{ parts: 0, cost: 10_000 }, ...small]);
const scenarios = fc.oneof(fc.tuple(limits, steps), fc.tuple(fc.constant(limitOf(10_000, 1)), smallSteps));

/** A clock that stands where it is put. */
class PartsClock extends ManualClock implements Clock {
  parts = 0;

  override monotonic(): number {
    return this.parts / PARTS_PER_MS;
  }
}

describe("ConnectionRateLimiter", () => {
  it("given any checks at any times, when all windows are counted, then none passed more than burst plus refill", () => {
    fc.assert(
      fc.property(scenarios, fc.nat(2 ** 40), ([limit, taken], start) => {
        const clock = new PartsClock();
        clock.parts = start;
        const limiter = new ConnectionRateLimiter(limit, clock);
        const passed: { at: number; cost: number }[] = [];
        for (const { parts, cost } of taken) {
          clock.parts += parts;
          if (limiter.check(cost) === 0) passed.push({ at: clock.parts, cost });
        }
        passed.forEach((first, index) => {
          let sum = 0n;
          for (const { at, cost } of passed.slice(index)) {
            sum += BigInt(cost);
            const windowParts = BigInt(limit.windowMs) * BigInt(PARTS_PER_MS);
            const allowed = BigInt(limit.maxRequests) * (windowParts + BigInt(at - first.at));
            expect(sum * windowParts <= allowed).toBe(true);
          }
        });
      }),
    );
  });

  it("given any checks, when one is refused, then it passes exactly after the time told, and not a millisecond before", () => {
    fc.assert(
      fc.property(scenarios, fc.nat(2 ** 40), ([limit, taken], start) => {
        const clock = new PartsClock();
        clock.parts = start;
        const limiter = new ConnectionRateLimiter(limit, clock);
        for (const { parts, cost } of taken) {
          clock.parts += parts;
          const waitMs = limiter.check(cost);
          if (waitMs === 0 || waitMs === Number.POSITIVE_INFINITY) continue;
          expect(Number.isInteger(waitMs)).toBe(true);
          const refusedAt = clock.parts;
          clock.parts = refusedAt + (waitMs - 1) * PARTS_PER_MS;
          expect(limiter.check(cost)).toBe(1);
          clock.parts = refusedAt + waitMs * PARTS_PER_MS;
          expect(limiter.check(cost)).toBe(0);
        }
      }),
    );
  });

  it("given any floating-point times, when a client waits as told, then it is let through", () => {
    const times = fc.double({ min: 0, max: 1e12, noNaN: true });
    fc.assert(
      fc.property(
        limits,
        times,
        fc.array(fc.double({ min: 0, max: 10, noNaN: true }), { maxLength: 40 }),
        (limit, start, waits) => {
          const clock = new ManualClock();
          clock.advance(start);
          const limiter = new ConnectionRateLimiter(limit, clock);
          limiter.check(limit.maxRequests);
          for (const extraMs of waits) {
            clock.advance(extraMs);
            const waitMs = limiter.check();
            if (waitMs === 0) continue;
            clock.advance(waitMs);
            expect(limiter.check()).toBe(0);
          }
        },
      ),
    );
  });

  it("given a client that tries every millisecond, when the time is over, then it got the burst and all of the refill", () => {
    fc.assert(
      fc.property(limits, fc.integer({ min: 1, max: 500 }), (limit, durationMs) => {
        const clock = new ManualClock();
        const limiter = new ConnectionRateLimiter(limit, clock);
        let passed = 0;
        for (let ms = 0; ms <= durationMs; ms++) {
          while (limiter.check() === 0) passed++;
          clock.advance(1);
        }
        const refill = (BigInt(durationMs) * BigInt(limit.maxRequests)) / BigInt(limit.windowMs);
        expect(BigInt(passed)).toBe(BigInt(limit.maxRequests) + refill);
      }),
    );
  });
});
