import { parseTenantId } from "@pm/core";
import { expect, test } from "vitest";
import { TenantLoad } from "./tenant-load.ts";

test("given a bound, when as much waits, then it is not congested, and with one byte more it is", () => {
  const load = new TenantLoad(parseTenantId("acme"), 100);
  load.add(100);
  expect(load.isCongested).toBe(false);
  load.add(1);
  expect(load.isCongested).toBe(true);
});

test("given some who wait for relief, when less than half of the bound is left, then each is called once, in order", () => {
  const load = new TenantLoad(parseTenantId("acme"), 100);
  const called: string[] = [];
  load.add(150);
  load.whenRelieved(() => called.push("first"));
  load.whenRelieved(() => called.push("second"));
  load.add(-99);
  expect(called).toEqual([]);
  load.add(-1);
  expect(called).toEqual(["first", "second"]);
  load.add(-50);
  expect(called).toEqual(["first", "second"]);
});

test("given one who waits again as soon as it is called, when bytes go, then it is not called at once", () => {
  const load = new TenantLoad(parseTenantId("acme"), 100);
  let calls = 0;
  const again = (): void => {
    calls++;
    load.add(150);
    load.whenRelieved(again);
  };
  load.add(150);
  load.whenRelieved(again);
  load.add(-150);
  expect(calls).toBe(1);
  load.add(-150);
  expect(calls).toBe(2);
});

test.each([
  ["bytes that wait", (load: TenantLoad) => load.add(1)],
  ["one who waits for relief", (load: TenantLoad) => load.whenRelieved(() => undefined)],
])("given %s, when asked, then it is not idle", (_, use) => {
  const load = new TenantLoad(parseTenantId("acme"), 100);
  expect(load.isIdle).toBe(true);
  use(load);
  expect(load.isIdle).toBe(false);
});
