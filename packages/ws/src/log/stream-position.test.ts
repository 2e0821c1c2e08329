import { RecoveryMiss } from "@pm/proto";
import { expect, test } from "vitest";
import { judge, type LogExtent } from "./stream-position.ts";

const LOG: LogExtent = { epoch: "e1", base: { offset: 10, check: 110 }, top: { offset: 20, check: 120 } };
const AT_TOP = { epoch: "e1", offset: 20, check: 120 };
const AT_BASE = { epoch: "e1", offset: 10, check: 110 };

test.each([
  ["at the base", 10],
  ["within", 15],
  ["at the top", 20],
])("given a position %s with the right tag, when it is judged, then it continues", (_, offset) => {
  expect(judge({ epoch: "e1", offset, check: 7 }, LOG, 7)).toEqual({ kind: "continues" });
});

test("given a position without a tag, when it is judged, then it continues", () => {
  expect(judge({ epoch: "e1", offset: 15, check: 0 }, LOG, 7)).toEqual({ kind: "continues" });
});

test("given a log that no longer knows the tag, when a position is judged, then it continues", () => {
  expect(judge({ epoch: "e1", offset: 15, check: 7 }, LOG, undefined)).toEqual({ kind: "continues" });
});

test.each([
  ["another epoch", { epoch: "e0", offset: 15, check: 7 }, RecoveryMiss.EPOCH_CHANGED],
  ["another epoch and an offset over the top", { epoch: "e0", offset: 21, check: 7 }, RecoveryMiss.EPOCH_CHANGED],
  ["an offset over the top", { epoch: "e1", offset: 21, check: 7 }, RecoveryMiss.AHEAD],
  ["another tag", { epoch: "e1", offset: 15, check: 8 }, RecoveryMiss.CHECK_MISMATCH],
])("given a position with %s, when it is judged, then delivery goes on at the top", (_, position, miss) => {
  expect(judge(position, LOG, 7)).toEqual({ kind: "missed", miss, missedCount: 0, position: AT_TOP });
});

test("given a position below the base, when it is judged, then it goes on at the oldest and says how many are gone", () => {
  expect(judge({ epoch: "e1", offset: 4, check: 7 }, LOG, undefined)).toEqual({
    kind: "missed",
    miss: RecoveryMiss.RETENTION,
    missedCount: 6,
    position: AT_BASE,
  });
});
