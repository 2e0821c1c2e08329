import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { MAX_BACKOFF_MS, waitMs } from "./backoff.ts";
import { closeRuleOf } from "./close-rule.ts";

const fraction = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });

describe("waitMs", () => {
  it("given any rule of any code, any attempt and any chance, when a wait is drawn, then it is within its bounds", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1000, max: 4999 }), fc.nat({ max: 5000 }), fraction, (code, attempt, chance) => {
        const rule = closeRuleOf(code);
        if (rule.kind !== "wait") return;
        const { otherwise } = rule;
        const ms = waitMs(otherwise, attempt, { fraction: () => chance, id: () => "" });
        const bounds =
          otherwise.kind === "spread" ? [otherwise.fromMs, otherwise.toMs] : [otherwise.leastMs, MAX_BACKOFF_MS];
        expect(ms).toBeGreaterThanOrEqual(bounds[0] ?? 0);
        expect(ms).toBeLessThanOrEqual(bounds[1] ?? 0);
      }),
    );
  });

  it("given the same chance, when attempts go on, then waits never get shorter", () => {
    fc.assert(
      fc.property(fc.nat({ max: 100 }), fraction, (attempt, chance) => {
        const random = { fraction: () => chance, id: () => "" };
        const rule = { kind: "backoff", baseMs: 500, leastMs: 0 } as const;
        expect(waitMs(rule, attempt + 1, random)).toBeGreaterThanOrEqual(waitMs(rule, attempt, random));
      }),
    );
  });
});
