import { describe, expect, it } from "vitest";
import { coded } from "../test/coded.ts";
import { resolveTenantLookupOptions } from "./tenant-lookup-options.ts";

describe("resolveTenantLookupOptions", () => {
  it("given nothing, when resolved, then the defaults are those of the documentation", () => {
    expect(resolveTenantLookupOptions({})).toEqual({
      maxConcurrent: 4,
      maxPending: 1000,
      timeoutMs: 3000,
      retryAfterMs: 1000,
      maxCached: 10_000,
      cacheMs: 30_000,
      unknownCacheMs: 3000,
    });
  });

  it.each([
    ["maxConcurrent", 1],
    ["maxPending", 1],
    ["timeoutMs", 1],
    ["retryAfterMs", 0],
    ["maxCached", 0],
    ["cacheMs", 0],
    ["unknownCacheMs", 0],
  ])("given %s below %d, when resolved, then it is refused by its name", (field, min) => {
    expect(resolveTenantLookupOptions({ [field]: min })).toMatchObject({ [field]: min });
    expect(() => resolveTenantLookupOptions({ [field]: min - 1 })).toThrow(coded("INVALID_OPTION", { field }));
  });
});
