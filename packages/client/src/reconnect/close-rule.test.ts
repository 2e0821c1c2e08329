import { CloseCode } from "@pm/proto";
import { describe, expect, it } from "vitest";
import { closeRuleOf } from "./close-rule.ts";

const backoff = { kind: "wait", hint: "none", otherwise: { kind: "backoff", baseMs: 500, leastMs: 0 } };
const fromOneSecond = { kind: "backoff", baseMs: 1000, leastMs: 1000 };

describe("closeRuleOf", () => {
  it.each<[number, object]>([
    [1000, { kind: "stop" }],
    [1001, backoff],
    [1002, { kind: "stop" }],
    [1003, { kind: "stop" }],
    [1006, backoff],
    [1007, { kind: "stop" }],
    [1008, { kind: "stop" }],
    [1009, backoff],
    [1011, { kind: "wait", hint: "none", otherwise: fromOneSecond }],
    [1012, { kind: "wait", hint: "go-away", otherwise: { kind: "spread", fromMs: 0, toMs: 5000 } }],
    [1013, { kind: "wait", hint: "any", otherwise: { kind: "spread", fromMs: 5000, toMs: 30_000 } }],
    [4008, { kind: "wait", hint: "none", otherwise: fromOneSecond }],
    [4009, { kind: "wait", hint: "none", otherwise: fromOneSecond }],
    [4029, { kind: "wait", hint: "error", otherwise: fromOneSecond }],
    [4401, { kind: "token", once: false }],
    [4500, { kind: "stop" }],
    [4501, { kind: "token", once: true }],
    [4503, { kind: "stop" }],
  ])("given %d, when its rule is asked for, then it is that of the protocol", (code, rule) => {
    expect(closeRuleOf(code)).toEqual(rule);
  });

  it("given the codes of pm.v1, when they are held against this test, then none is missing", () => {
    expect(Object.values(CloseCode)).toHaveLength(18);
  });

  it.each([4000, 4007, 4123, 4400, 4499])(
    "given %d, which is not known, when its rule is asked for, then it is to reconnect",
    (code) => {
      expect(closeRuleOf(code)).toMatchObject({ kind: "wait", hint: "any" });
    },
  );

  it.each([4502, 4504, 4777, 4999])(
    "given %d, which is not known, when its rule is asked for, then it is to stop",
    (code) => {
      expect(closeRuleOf(code)).toEqual({ kind: "stop" });
    },
  );

  it.each([1004, 1005, 1010, 1014, 1015, 2999, 3000, 3999])(
    "given %d, which is no code of pm, when its rule is asked for, then it is that of 1006",
    (code) => {
      expect(closeRuleOf(code)).toEqual(closeRuleOf(1006));
    },
  );
});
