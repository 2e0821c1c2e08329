import { describe, expect, it } from "vitest";
import { applyEntry, emptyLog } from "./board-state.ts";
import { describeEntry } from "./describe-entry.ts";
import { TENANTS } from "./tenants.ts";

const [{ seed }] = TENANTS;

function sentence(event: string, data: object): string | undefined {
  const entry = { offset: 1, event, data: { id: "c", ...data }, publisher: "Ada" };
  return describeEntry(entry, { before: seed, after: applyEntry(emptyLog(seed), entry).board });
}

describe("describeEntry", () => {
  it.each([
    ["card.moved", { card: "a2", column: "done" }, "Ada moved “Order copper pipe” to Done"],
    ["card.moved", { card: "a2", column: "todo" }, "Ada reordered “Order copper pipe” in To do"],
    ["card.added", { card: "n", column: "todo", title: "Sweep" }, "Ada added “Sweep”"],
    ["card.removed", { card: "a2" }, "Ada removed “Order copper pipe”"],
    ["card.removed", { card: "gone" }, undefined],
    ["board.snapshot", { at: 0, board: seed }, undefined],
    ["else", {}, undefined],
  ])("given %s of %o when it is described then it says so", (event, data, text) => {
    expect(sentence(event, data)).toBe(text);
  });
});
