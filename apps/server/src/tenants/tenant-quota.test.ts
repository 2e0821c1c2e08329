import { ManualClock } from "@pm/core/testing";
import { describe, expect, it } from "vitest";
import { TenantQuota } from "./tenant-quota.ts";

function quotaOf(perSec: Readonly<Record<string, number>>, largestCost = 1) {
  const clock = new ManualClock();
  const perSecOf = (tenant: string): number => perSec[tenant] ?? 0;
  return { clock, quota: new TenantQuota({ perSecOf, largestCost, maxTenants: 100, clock }) };
}

describe("TenantQuota", () => {
  it("given two tenants with quotas of their own, when each uses its own up, then it waits for its own refill", () => {
    const { clock, quota } = quotaOf({ slow: 2, fast: 10 });
    const check = (tenant: string, times: number): number[] => Array.from({ length: times }, () => quota.check(tenant));
    expect(check("slow", 3)).toEqual([0, 0, 500]);
    expect(check("fast", 11)).toEqual([...Array.from({ length: 10 }, () => 0), 100]);
    clock.advance(100);
    expect([quota.check("fast"), quota.check("slow")]).toEqual([0, 400]);
  });

  it("given a tenant without a quota, when it does anything, then it never waits", () => {
    const { quota } = quotaOf({});
    expect(Array.from({ length: 1000 }, () => quota.check("free", 1e9)).every((wait) => wait === 0)).toBe(true);
  });

  it("given a quota that changes, when it is checked, then the new one holds, and one that comes back begins where it was", () => {
    const perSec: Record<string, number> = { acme: 1 };
    const { quota } = quotaOf(perSec);
    expect([quota.check("acme"), quota.check("acme")]).toEqual([0, 1000]);
    perSec["acme"] = 2;
    expect([quota.check("acme"), quota.check("acme"), quota.check("acme")]).toEqual([0, 0, 500]);
    perSec["acme"] = 1;
    expect(quota.check("acme")).toBe(1000);
    perSec["acme"] = 0;
    expect(quota.check("acme")).toBe(0);
  });

  it("given a quota below the largest message, when such a message comes, then it passes once and is paid off", () => {
    const { clock, quota } = quotaOf({ thin: 100 }, 1000);
    expect(quota.check("thin", 1000)).toBe(0);
    expect(quota.check("thin", 1000)).toBe(10_000);
    clock.advance(10_000);
    expect(quota.check("thin", 1000)).toBe(0);
  });

  it("given a thousand other quotas in between, when the first is checked again, then memory is bounded and it begins anew", () => {
    const perSec: Record<string, number> = { first: 5_000 };
    const { quota } = quotaOf(perSec);
    for (let n = 0; n < 5_000; n += 1) quota.check("first");
    expect(quota.check("first")).toBeGreaterThan(0);
    for (let n = 1; n <= 1_000; n += 1) {
      perSec[`t-${n}`] = n;
      quota.check(`t-${n}`);
    }
    expect(quota.check("first")).toBe(0);
  });
});
