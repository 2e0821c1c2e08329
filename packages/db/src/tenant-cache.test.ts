import { parseTenantId, type TenantId } from "@pm/core";
import { ManualClock } from "@pm/core/testing";
import { beforeEach, describe, expect, it } from "vitest";
import { TenantCache } from "./tenant-cache.ts";
import type { TenantRecord } from "./tenant-record.ts";

const [A, B, C] = ["a", "b", "c"].map(parseTenantId) as [TenantId, TenantId, TenantId];
const record = (tenant: TenantId, state: TenantRecord["state"] = "active"): TenantRecord => ({
  tenant,
  state,
  limits: {},
  createdAtMs: 1,
  updatedAtMs: 1,
});

describe("TenantCache", () => {
  let clock: ManualClock;
  let cache: TenantCache;

  beforeEach(() => {
    clock = new ManualClock();
    cache = new TenantCache({ maxCached: 2, cacheMs: 1000, unknownCacheMs: 100 }, clock);
  });

  it("given a known and an unknown tenant, when time goes on, then the unknown one is forgotten sooner", () => {
    cache.set(A, record(A));
    cache.set(B, undefined);
    expect([cache.get(A)?.record, cache.get(B)]).toEqual([record(A), expect.objectContaining({ record: undefined })]);
    clock.advance(100);
    expect([cache.get(A)?.record, cache.get(B)]).toEqual([record(A), undefined]);
    clock.advance(900);
    expect(cache.get(A)).toBeUndefined();
    expect(cache.size).toBe(0);
  });

  it("given it is full, when one more comes, then the least recently used goes", () => {
    cache.set(A, record(A));
    cache.set(B, record(B));
    cache.get(A);
    cache.set(C, record(C));
    expect([cache.get(A), cache.get(B), cache.get(C)].map((answer) => answer?.record?.tenant)).toEqual([
      "a",
      undefined,
      "c",
    ]);
  });

  it("given answers, when they are replaced, then only what was kept is, anew", () => {
    cache.set(A, undefined);
    cache.replace(A, record(A, "suspended"));
    cache.replace(B, record(B));
    clock.advance(500);
    expect(cache.get(A)?.record?.state).toBe("suspended");
    expect(cache.get(B)).toBeUndefined();
    cache.clear();
    expect(cache.size).toBe(0);
  });

  it("given no place at all, when an answer comes, then it is not kept", () => {
    const none = new TenantCache({ maxCached: 0, cacheMs: 1000, unknownCacheMs: 100 }, clock);
    none.set(A, record(A));
    expect(none.get(A)).toBeUndefined();
  });
});
