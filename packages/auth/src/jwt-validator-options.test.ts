import { silentLogger, systemClock } from "@pm/core";
import { describe, expect, it } from "vitest";
import { resolveJwtValidator } from "./jwt-validator-options.ts";

describe("resolveJwtValidator", () => {
  it("given nothing, when it is resolved, then the defaults are those of the documentation", () => {
    expect(resolveJwtValidator()).toEqual({
      rules: { issuers: undefined, audiences: undefined, leewayMs: 30_000 },
      cache: { maxTokens: 10_000, maxBytes: 16_777_216 },
      gate: { maxPending: 1024, timeoutMs: 5000 },
      clock: systemClock,
      logger: silentLogger,
    });
  });

  it("given bounds, when they are resolved, then each is what was given", () => {
    const given = { maxCachedTokens: 1, maxCachedBytes: 2, maxPending: 3, verifyTimeoutMs: 4 };
    expect(resolveJwtValidator(given)).toMatchObject({
      cache: { maxTokens: 1, maxBytes: 2 },
      gate: { maxPending: 3, timeoutMs: 4 },
    });
  });

  it.each([
    ["maxCachedTokens", 0, 1_000_000],
    ["maxCachedBytes", 0, 2 ** 32],
    ["maxPending", 1, 100_000],
    ["verifyTimeoutMs", 1, 60_000],
  ])("given %s outside of %d to %d, when it is resolved, then it is refused by its name", (option, min, max) => {
    for (const good of [min, max]) expect(() => resolveJwtValidator({ [option]: good })).not.toThrow();
    for (const bad of [min - 1, max + 1, min + 0.5]) {
      expect(() => resolveJwtValidator({ [option]: bad })).toThrow(
        expect.objectContaining({ code: "INVALID_OPTION", field: option }),
      );
    }
  });
});
