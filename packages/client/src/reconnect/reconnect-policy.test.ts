import { beforeEach, describe, expect, it } from "vitest";
import { type Closure, ReconnectPolicy } from "./reconnect-policy.ts";

function closure(code: number, more: Partial<Closure> = {}): Closure {
  const none = { welcomedForMs: undefined, lastError: undefined, errorHintMs: undefined, goAwayHintMs: undefined };
  return { code, reason: "", ...none, ...more };
}

describe("ReconnectPolicy", () => {
  let fraction: number;
  let policy: ReconnectPolicy;

  beforeEach(() => {
    fraction = 0.5;
    policy = new ReconnectPolicy({ fraction: () => fraction, id: () => "" });
  });

  const waitAfter = (code: number, more?: Partial<Closure>): number => {
    const verdict = policy.judge(closure(code, more));
    if (verdict.kind !== "reconnect") throw new Error("it stops");
    return verdict.afterMs;
  };

  it("given one lost connection after the other, when waits are drawn, then their bounds double up to 20 s", () => {
    fraction = 0.999_999;
    const waits = Array.from({ length: 8 }, () => Math.round(waitAfter(1006)));
    expect(waits).toEqual([500, 1000, 2000, 4000, 8000, 16_000, 20_000, 20_000]);
    fraction = 0;
    expect(waitAfter(1006)).toBe(0);
  });

  it.each([29_999, 30_000])(
    "given a connection that was well for %d ms, when it is lost, then waits begin anew from 30 s on",
    (welcomedForMs) => {
      for (let lost = 0; lost < 5; lost++) waitAfter(1006);
      expect(waitAfter(1006, { welcomedForMs })).toBe(welcomedForMs < 30_000 ? 8000 : 250);
    },
  );

  it.each([1011, 4008, 4009])("given %d, when waits are drawn, then none is below 1 s", (code) => {
    fraction = 0;
    expect([waitAfter(code), waitAfter(code)]).toEqual([1000, 1000]);
    fraction = 0.999_999;
    expect(Math.round(waitAfter(code))).toBe(5000);
  });

  it("given 1012 after a GoAway, when it is judged, then what is left of its wait is waited, and cannot be cut short", () => {
    const verdict = policy.judge(closure(1012, { goAwayHintMs: 700, errorHintMs: 9 }));
    expect(verdict).toEqual({ kind: "reconnect", afterMs: 700, isHint: true, needsToken: false });
  });

  it("given 1012 without a GoAway, when it is judged, then the wait is spread over 5 s", () => {
    expect(waitAfter(1012, { errorHintMs: 9 })).toBe(2500);
  });

  it.each<[Partial<Closure>, number]>([
    [{}, 17_500],
    [{ errorHintMs: 40_000 }, 40_000],
    [{ goAwayHintMs: 100 }, 100],
    [{ goAwayHintMs: 100, errorHintMs: 6000 }, 6000],
  ])("given 1013 with %j, when it is judged, then the wait is %d ms", (hints, expected) => {
    expect(waitAfter(1013, hints)).toBe(expected);
  });

  it.each<[Partial<Closure>, number]>([
    [{ errorHintMs: 60_000 }, 60_000],
    [{ goAwayHintMs: 60_000 }, 1500],
  ])("given 4029 with %j, when it is judged, then the wait is %d ms", (hints, expected) => {
    expect(waitAfter(4029, hints)).toBe(expected);
  });

  it("given 4401, when it is judged, then a token is fetched at once; when the next is refused at once too, not so soon", () => {
    expect(policy.judge(closure(4401, { welcomedForMs: 60_000 }))).toEqual({
      kind: "reconnect",
      afterMs: 0,
      isHint: false,
      needsToken: true,
    });
    expect(waitAfter(4401)).toBe(250);
    expect(waitAfter(4401)).toBe(500);
    expect(waitAfter(4401, { welcomedForMs: 5000 })).toBe(0);
  });

  it.each([
    [1006, false],
    [1012, true],
    [1013, true],
    [4029, false],
  ])("given %d without a hint, when it is judged, then that nothing may shorten the wait is %j", (code, isHint) => {
    expect(policy.judge(closure(code))).toMatchObject({ isHint });
  });

  it.each([
    [999, "stop"],
    [1000, "reconnect"],
  ])(
    "given 4501 and a next token that was good for %d ms, when that is refused too, then it is: %s",
    (welcomedForMs, kind) => {
      policy.judge(closure(4501));
      expect(policy.judge(closure(4501, { welcomedForMs }))).toMatchObject({ kind });
    },
  );

  it("given 4501, when it is judged, then a token is fetched once; when the next is refused too, it stops", () => {
    expect(policy.judge(closure(4501))).toMatchObject({ kind: "reconnect", needsToken: true });
    expect(policy.judge(closure(4501))).toEqual({ kind: "stop" });
  });

  it("given 4501 again after a token that was accepted, when it is judged, then a token is fetched again", () => {
    policy.judge(closure(4501));
    expect(policy.judge(closure(4501, { welcomedForMs: 5000 }))).toMatchObject({ kind: "reconnect", needsToken: true });
  });

  it("given moves one after the other, when their connections are young, then all but the first wait longer and longer", () => {
    const waits = [0, 0, 0, 0].map((hintMs) => policy.moveAfterMs(hintMs, 29_999));
    expect(waits).toEqual([0, 250, 500, 1000]);
    expect([policy.moveAfterMs(5000, 0), policy.moveAfterMs(0, 30_000)]).toEqual([5000, 0]);
  });

  it.each([1000, 1002, 1003, 1007, 1008, 4500, 4503, 4999])("given %d, when it is judged, then it stops", (code) => {
    expect(policy.judge(closure(code, { welcomedForMs: 60_000 }))).toEqual({ kind: "stop" });
  });
});
