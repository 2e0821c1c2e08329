import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { hasReached, judgePublication } from "./cursor-rule.ts";

const offset = fc.nat({ max: 50 });
const check = fc.integer({ min: 1, max: 5 });
const near = fc.integer({ min: -2, max: 3 });
const cursors = fc.record({ epoch: fc.constantFrom("e1", "e2"), offset, check: fc.nat({ max: 5 }) });

describe("judgePublication", () => {
  it("given any cursor and any publication, when it is judged, then exactly one rule of the protocol holds", () => {
    fc.assert(
      fc.property(cursors, near, check, (cursor, ahead, tag) => {
        const offered = { offset: Math.max(0, cursor.offset + ahead), check: tag };
        const verdict = judgePublication(cursor, offered);
        if (offered.offset === cursor.offset + 1) {
          expect(verdict).toEqual({ kind: "accept", cursor: { epoch: cursor.epoch, ...offered } });
        } else if (offered.offset > cursor.offset) expect(verdict.kind).toBe("resubscribe");
        else if (offered.offset < cursor.offset) expect(verdict.kind).toBe("drop");
        else expect(verdict.kind).toBe(cursor.check === 0 || offered.check === cursor.check ? "drop" : "resubscribe");
      }),
    );
  });

  it("given a log in any order with any repeats, when all of it is judged, then what is accepted is a prefix in order, once", () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 20 }), { maxLength: 200, size: "max" }), (offsets) => {
        let cursor = { epoch: "e1", offset: 0, check: 1000 };
        const accepted: number[] = [];
        for (const next of offsets) {
          const verdict = judgePublication(cursor, { offset: next, check: 1000 + next });
          if (verdict.kind !== "accept") continue;
          cursor = verdict.cursor;
          accepted.push(next);
        }
        expect(accepted).toEqual(Array.from({ length: accepted.length }, (_, index) => index + 1));
      }),
    );
  });
});

describe("hasReached", () => {
  it("given a cursor of another epoch, when it is asked, then there is nothing to wait for", () => {
    const top = { epoch: "e2", offset: 9, check: 1 };
    expect(hasReached({ epoch: "e1", offset: 1, check: 1 }, top)).toBe(true);
    expect(hasReached({ epoch: "e2", offset: 8, check: 1 }, top)).toBe(false);
    expect(hasReached({ epoch: "e2", offset: 9, check: 1 }, top)).toBe(true);
  });
});
