import { describe, expect, it } from "vitest";
import { AuthOptionError } from "./auth-option-error.ts";
import { resolveRateLimit } from "./rate-limit-config.ts";

describe("resolveRateLimit", () => {
  it("given nothing, when it is resolved, then it is 100 in 60 s", () => {
    expect(resolveRateLimit()).toMatchObject({ maxRequests: 100, windowMs: 60_000 });
  });

  it("given a window with a fraction, when it is resolved, then whole milliseconds count", () => {
    expect(resolveRateLimit({ maxRequests: 256, windowSecs: 12.8 }).windowMs).toBe(12_800);
  });

  it.each([
    { maxRequests: 0 },
    { maxRequests: -1 },
    { maxRequests: 1.5 },
    { maxRequests: Number.NaN },
    { maxRequests: Number.POSITIVE_INFINITY },
    { windowSecs: 0 },
    { windowSecs: -60 },
    { windowSecs: 0.0001 },
    { windowSecs: Number.NaN },
    { windowSecs: Number.POSITIVE_INFINITY },
    { maxRequests: 4_000_001, windowSecs: 1000 },
  ])("given %j, when it is resolved, then it is refused", (config) => {
    expect(() => resolveRateLimit(config)).toThrow(AuthOptionError);
  });

  it("given the largest limits, when they are resolved, then twice the capacity is still a safe integer", () => {
    for (const config of [
      { maxRequests: 4_000_000_000, windowSecs: 1 },
      { maxRequests: 1, windowSecs: 4_000_000_000 },
    ]) {
      expect(Number.isSafeInteger(2 * resolveRateLimit(config).capacity)).toBe(true);
    }
  });
});
