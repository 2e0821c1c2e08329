import { describe, expect, it } from "vitest";
import { type BoardEntry, isEnough, SNAPSHOT } from "./board-state.ts";
import { TENANTS } from "./tenants.ts";

const [{ seed }] = TENANTS;
const snapshot = (offset: number, at: number): BoardEntry => ({ offset, event: SNAPSHOT, data: { at, board: seed } });
const other = (offset: number): BoardEntry => ({ offset, event: "card.removed", data: { id: "x", card: "a1" } });

describe("isEnough", () => {
  it.each([
    ["no snapshot", [other(3), other(2), other(1)], false],
    ["a snapshot without what came before it was published", [other(9), snapshot(8, 5), other(7)], false],
    ["a snapshot and everything after what it holds", [snapshot(8, 5), other(7), other(6)], true],
    ["a snapshot of the entry before", [other(9), snapshot(8, 7)], true],
    ["a snapshot of the future", [snapshot(8, 9), other(7)], false],
  ])("given %s when it is asked then the answer is right", (_what, entries, enough) => {
    expect(isEnough(entries)).toBe(enough);
  });
});
