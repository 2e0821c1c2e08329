import { expect, test } from "vitest";
import { type AppendResult, IDEMPOTENCY_WINDOW_MS } from "./broker.ts";
import { IdempotencyWindow } from "./idempotency-window.ts";

function resultAt(offset: number): AppendResult {
  return { position: { epoch: "e1", offset, check: 1 }, messageId: `e1.${offset}`, duplicate: false };
}

test("given a key, when it is sought within five minutes, then its result is found, and not after", () => {
  const window = new IdempotencyWindow();
  window.remember("u1", "k", { result: resultAt(1), nowMs: 100 });
  expect(window.find("u1", "k", 100)).toEqual(resultAt(1));
  expect(window.find("u1", "k", 99 + IDEMPOTENCY_WINDOW_MS)).toEqual(resultAt(1));
  expect(window.find("u1", "k", 100 + IDEMPOTENCY_WINDOW_MS)).toBeUndefined();
});

test("given a key of one publisher, when another uses it, then it is new", () => {
  const window = new IdempotencyWindow();
  window.remember("bc", "a", { result: resultAt(1), nowMs: 0 });
  expect(window.find("u2", "a", 0)).toBeUndefined();
  expect(window.find("c", "ab", 0)).toBeUndefined();
  expect(window.find("", "abc", 0)).toBeUndefined();
});

test("given keys, when they are remembered and expire, then bytes go up and back by what is told", () => {
  const window = new IdempotencyWindow();
  const first = window.remember("u1", "a", { result: resultAt(1), nowMs: 0 });
  const second = window.remember("u1", "longer", { result: resultAt(2), nowMs: 1000 });
  expect(second).toBeGreaterThan(first);
  expect(window.bytes).toBe(first + second);
  expect(window.expire(IDEMPOTENCY_WINDOW_MS)).toBe(first);
  expect(window).toMatchObject({ size: 1, bytes: second });
  expect(window.expire(IDEMPOTENCY_WINDOW_MS + 1000)).toBe(second);
  expect(window).toMatchObject({ size: 0, bytes: 0 });
});

test("given a key that is too old, when it is remembered again, then it is counted once and lasts from then", () => {
  const window = new IdempotencyWindow();
  const bytes = window.remember("u1", "a", { result: resultAt(1), nowMs: 0 });
  window.remember("u1", "b", { result: resultAt(2), nowMs: 10 });
  expect(window.remember("u1", "a", { result: resultAt(3), nowMs: IDEMPOTENCY_WINDOW_MS })).toBe(0);
  expect(window.expire(IDEMPOTENCY_WINDOW_MS + 10)).toBe(bytes);
  expect(window.find("u1", "a", IDEMPOTENCY_WINDOW_MS + 10)).toEqual(resultAt(3));
});
