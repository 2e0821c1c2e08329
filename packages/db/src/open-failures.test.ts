import { parseTenantId } from "@pm/core";
import { ManualClock } from "@pm/core/testing";
import { describe, expect, it } from "vitest";
import { OpenFailures } from "./open-failures.ts";

function fail(): never {
  throw new Error("corrupt");
}

describe("OpenFailures", () => {
  const acme = parseTenantId("acme");

  it("given a failure, when the tenant is opened again within the delay, then it fails alike without a try", () => {
    const clock = new ManualClock();
    const failures = new OpenFailures(clock, 1000);
    let tries = 0;
    const open = (): string => {
      if (++tries === 1) throw new Error("corrupt");
      return "open";
    };
    expect(() => failures.guard(acme, open)).toThrow("corrupt");
    clock.advance(999);
    expect(() => failures.guard(acme, open)).toThrow("corrupt");
    expect(failures.guard(parseTenantId("other"), () => "open")).toBe("open");
    expect(tries).toBe(1);
    clock.advance(1);
    expect(failures.guard(acme, open)).toBe("open");
    expect(failures.guard(acme, open)).toBe("open");
    expect(tries).toBe(3);
  });

  it("given more failures than are remembered, when the oldest is opened again, then it is tried", () => {
    const failures = new OpenFailures(new ManualClock(), 1000);
    for (let i = 0; i <= 1000; i++) expect(() => failures.guard(parseTenantId(`t${i}`), fail)).toThrow();
    expect(failures.guard(parseTenantId("t0"), () => "open")).toBe("open");
    expect(() => failures.guard(parseTenantId("t1000"), () => "open")).toThrow();
  });
});
