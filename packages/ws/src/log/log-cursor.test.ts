import { RecoveryMiss } from "@pm/proto";
import { expect, test } from "vitest";
import type { LogEntry, LogPage } from "./broker.ts";
import { judgeForward } from "./log-cursor.ts";

function entry(offset: number): LogEntry {
  return { offset, check: 100 + offset, prevCheck: 99 + offset, publishedAtMs: 0, frame: Buffer.alloc(0) };
}

function page(first: number): LogPage {
  const entries = Array.from({ length: 20 - first + 1 }, (_, index) => entry(first + index));
  return { epoch: "e1", base: { offset: 10, check: 110 }, top: { offset: 20, check: 120 }, entries };
}

test.each([
  ["base", 10],
  ["middle", 15],
  ["top", 20],
])("given a position at the %s, when the page after it is judged, then its tag decides", (_, offset) => {
  const check = 100 + offset;
  expect(judgeForward({ epoch: "e1", offset, check }, page(offset + 1))).toEqual({ kind: "continues" });
  expect(judgeForward({ epoch: "e1", offset, check: check + 1 }, page(offset + 1))).toMatchObject({
    kind: "missed",
    miss: RecoveryMiss.CHECK_MISMATCH,
  });
});

test("given a page that begins elsewhere, when a position is judged, then no tag is claimed to be known", () => {
  expect(judgeForward({ epoch: "e1", offset: 15, check: 1 }, page(18))).toEqual({ kind: "continues" });
});
