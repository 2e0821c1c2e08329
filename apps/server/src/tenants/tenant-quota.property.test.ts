import { ManualClock } from "@pm/core/testing";
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { TenantQuota } from "./tenant-quota.ts";

const MAX_MESSAGE = 16 * 1024 ** 2;
const perSec = fc.oneof(
  fc.integer({ min: 1, max: 1000 }),
  fc.maxSafeNat().map((n) => Math.max(1, n)),
);
const largestCost = fc.oneof(fc.constantFrom(1, 1024, 65_536, MAX_MESSAGE), fc.integer({ min: 1, max: MAX_MESSAGE }));

function quotaOf(quota: number, largest: number) {
  const clock = new ManualClock();
  return { clock, quota: new TenantQuota({ perSecOf: () => quota, largestCost: largest, maxTenants: 10, clock }) };
}

describe("laws of a tenant's quota", () => {
  it("given any quota and largest message, when a tenant is new, then that message passes, and a wait is one that ends", () => {
    fc.assert(
      fc.property(perSec, largestCost, (each, largest) => {
        const { clock, quota } = quotaOf(each, largest);
        expect(quota.check("acme", largest)).toBe(0);
        const waitMs = quota.check("acme", largest);
        expect(Number.isFinite(waitMs)).toBe(true);
        clock.advance(waitMs);
        if (waitMs > 0) expect(quota.check("acme", largest)).toBe(0);
      }),
    );
  });

  it("given any messages at any times, when they are checked, then no span of time lets more through than the burst and its refill", () => {
    const step = fc.record({ afterMs: fc.nat(5_000), share: fc.double({ min: 0.001, max: 1, noNaN: true }) });
    fc.assert(
      fc.property(perSec, largestCost, fc.array(step, { minLength: 1, maxLength: 60 }), (each, largest, steps) => {
        const { clock, quota } = quotaOf(each, largest);
        const passed: { readonly atMs: number; readonly cost: number }[] = [];
        for (const { afterMs, share } of steps) {
          clock.advance(afterMs);
          const cost = Math.max(1, Math.round(share * largest));
          if (quota.check("acme", cost) === 0) passed.push({ atMs: clock.monotonic(), cost });
        }
        const burst = Math.max(each, largest);
        for (const [index, first] of passed.entries()) {
          let sum = 0;
          for (const { atMs, cost } of passed.slice(index)) {
            sum += cost;
            const allowed = burst + ((atMs - first.atMs) / 1000) * each;
            // A unit of rounding, where a quota is counted in larger units than its own.
            expect(sum).toBeLessThanOrEqual(allowed * (1 + 1e-6) + 1);
          }
        }
      }),
    );
  });
});
