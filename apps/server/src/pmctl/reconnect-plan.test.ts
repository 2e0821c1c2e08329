import { describe, expect, it } from "vitest";
import { describeEnd, planReconnect, type ReconnectState, type SessionEnd } from "./reconnect-plan.ts";

const STATE: ReconnectState = { everWelcomed: true, failures: 0, hintMs: undefined, renewsToken: true, random: 0.5 };
const closed = (code: number): SessionEnd => ({ kind: "closed", code, reason: "" });
const refused = (status: number, retryAfterMs?: number): SessionEnd => ({
  kind: "refused",
  status,
  reason: "",
  retryAfterMs,
});

describe("planReconnect", () => {
  it.each([1000, 1002, 1003, 1007, 1008, 4500, 4501, 4503, 4999])("given a close with %i then it stops", (code) => {
    expect(planReconnect(closed(code), STATE)).toEqual({ kind: "stop" });
  });

  it.each([
    [1001, {}, 250],
    [1006, {}, 250],
    [1006, { failures: 3 }, 2000],
    [1006, { failures: 1000 }, 10_000],
    [1009, {}, 250],
    [1011, {}, 500],
    [1012, {}, 2500],
    [1012, { hintMs: 700 }, 700],
    [1013, {}, 17_500],
    [1013, { hintMs: 1 }, 1],
    [4008, {}, 500],
    [4009, {}, 500],
    [4029, { hintMs: 900 }, 900],
    [4401, {}, 0],
    [4401, { failures: 1 }, 500],
    [4499, {}, 250],
  ])("given a close with %i and %j then it waits %i ms", (code, state, ms) => {
    expect(planReconnect(closed(code), { ...STATE, ...state })).toEqual({ kind: "wait", ms });
  });

  it("given an expired token that cannot be renewed then it stops", () => {
    expect(planReconnect(closed(4401), { ...STATE, renewsToken: false })).toEqual({ kind: "stop" });
  });

  it.each([
    [401, {}, "stop"],
    [403, {}, "stop"],
    [404, {}, "stop"],
    [429, {}, "wait"],
    [500, {}, "wait"],
    [503, {}, "wait"],
    [503, { everWelcomed: false }, "stop"],
  ])("given a refusal with %i and %j then it does %s", (status, state, kind) => {
    expect(planReconnect(refused(status), { ...STATE, ...state }).kind).toBe(kind);
  });

  it("given a refusal with Retry-After then it waits that long", () => {
    expect(planReconnect(refused(503, 3000), STATE)).toEqual({ kind: "wait", ms: 3000 });
  });

  it("given a server that cannot be reached then it stops at first, and waits later", () => {
    const end = { kind: "unreachable", reason: "ECONNREFUSED" } as const;
    expect(planReconnect(end, { ...STATE, everWelcomed: false })).toEqual({ kind: "stop" });
    expect(planReconnect(end, STATE)).toEqual({ kind: "wait", ms: 250 });
  });
});

describe("describeEnd", () => {
  it.each([
    [closed(1006), "closed with 1006"],
    [{ kind: "closed", code: 4501, reason: "INVALID_TOKEN" } as const, "closed with 4501 INVALID_TOKEN"],
    [{ kind: "unreachable", reason: "ECONNREFUSED" } as const, "cannot be reached (ECONNREFUSED)"],
    [
      { kind: "refused", status: 401, reason: "refused with 401", retryAfterMs: undefined } as const,
      "refused with 401",
    ],
  ])("given %j then it is %s", (end, text) => {
    expect(describeEnd(end)).toBe(text);
  });
});
