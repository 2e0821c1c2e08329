import { DisconnectedError, RefusedError } from "@pm/ws/testing";
import { describe, expect, it } from "vitest";
import { countViolations, LoadLedger } from "./load-ledger.ts";

const REFUSAL = { code: "RATE_LIMIT_EXCEEDED", message: "", field: "", retryAfterMs: 0 };
const POSITION = { epoch: "e", offset: 1, check: 1, channel: "c" };

describe("LoadLedger", () => {
  it("given publications and what became of them, when it is read, then each is counted once", () => {
    const ledger = new LoadLedger();
    ledger.begin(performance.now());
    const ids = [1, 2, 3].map(() => ledger.publishing(performance.now()));
    ledger.published(ids[0] ?? "", 4);
    ledger.failed(new RefusedError(REFUSAL));
    ledger.failed(new DisconnectedError(1006, ""));
    expect(new Set(ids).size).toBe(3);
    expect(ledger.publishedCounts).toEqual({
      sent: 3,
      acknowledged: 1,
      refused: { RATE_LIMIT_EXCEEDED: 1 },
      unknown: 1,
    });
    expect(ledger.expected).toBe(4);
    expect(() => ledger.failed(new TypeError("a bug"))).toThrow("a bug");
  });

  it("given a publication of some time ago, when a reader takes it, then that is its latency", () => {
    const ledger = new LoadLedger();
    const payloadId = ledger.publishing(performance.now() - 250);
    ledger.accepted({ ...POSITION, payloadId });
    expect(ledger.delivery.summary().maxUs).toBeGreaterThanOrEqual(250_000);
    expect(ledger.delivery.summary().maxUs).toBeLessThan(2_000_000);
    expect(ledger.percentiles().at(-1)?.us).toBe(ledger.delivery.summary().maxUs);
  });

  it("given violations, when they are counted, then it is by kind, with the first few in words", () => {
    const one = { kind: "lost", reader: "r", message: "m", trail: [] } as const;
    const { violations, examples } = countViolations([
      ...Array.from({ length: 7 }, () => one),
      { ...one, kind: "gap" },
    ]);
    expect(violations).toEqual({ lost: 7, gap: 1 });
    expect(examples).toHaveLength(5);
    expect(examples[0]).toContain("lost (r): m");
  });
});
