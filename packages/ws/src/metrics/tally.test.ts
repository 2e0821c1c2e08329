import { Registry } from "prom-client";
import { expect, test } from "vitest";
import { Tally, tallied, talliedBy } from "./tally.ts";

test("given counts, when they are taken, then the tally begins anew", () => {
  const tally = new Tally();
  tally.inc();
  tally.inc(4);
  expect(tally.take()).toBe(5);
  expect(tally.take()).toBe(0);
});

test("given a registered tally, when metrics are collected twice, then nothing is lost or counted twice", async () => {
  const registry = new Registry();
  const tally = tallied({ name: "things_total", help: "Things", registry });
  tally.inc(2);
  expect(await registry.metrics()).toContain("\nthings_total 2\n");
  expect(await registry.metrics()).toContain("\nthings_total 2\n");
  tally.inc();
  expect(await registry.metrics()).toContain("\nthings_total 3\n");
});

test("given tallies by label, when metrics are collected, then each value has its own series", async () => {
  const registry = new Registry();
  const by = talliedBy({ name: "things_total", help: "Things", registry }, "kind");
  by("a").inc(2);
  by("b").inc();
  by("a").inc();
  expect(by("a")).toBe(by("a"));
  const text = await registry.metrics();
  expect(text).toContain('things_total{kind="a"} 3');
  expect(text).toContain('things_total{kind="b"} 1');
});
