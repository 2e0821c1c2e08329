import { expect } from "vitest";
import { type HistoryChecker, printViolation } from "../../src/testing/index.ts";

/** Nothing is on its way any more: what the clients saw has to keep the promise. Prints the first violation. */
export function expectPromiseKept(checker: HistoryChecker): void {
  expect(checker.settle().slice(0, 1).map(printViolation).join()).toBe("");
}
