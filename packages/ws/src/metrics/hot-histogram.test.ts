import { Histogram, Registry } from "prom-client";
import { expect, test } from "vitest";
import { HotHistogram } from "./hot-histogram.ts";

const OPTIONS = { name: "size_bytes", help: "Sizes", buckets: [1, 5, 10] };

test("given observations, when metrics are collected, then the text is that of prom-client's own histogram", async () => {
  const registry = new Registry();
  const hot = new HotHistogram(OPTIONS, registry);
  const other = new Registry();
  const own = new Histogram({ ...OPTIONS, registers: [other] });
  for (const value of [0, 1, 1.5, 5, 5.1, 10, 11, 1000]) {
    hot.observe(value);
    own.observe(value);
  }
  expect(await registry.metrics()).toBe(await other.metrics());
});

test("given values on a bound, when they are observed, then they belong to the bucket below", async () => {
  const registry = new Registry();
  const histogram = new HotHistogram(OPTIONS, registry);
  for (const value of [1, 5, 5.1, 11]) histogram.observe(value);
  const lines = (await registry.metrics()).split("\n").filter((line) => line.startsWith("size_bytes"));
  expect(lines).toEqual([
    'size_bytes_bucket{le="1"} 1',
    'size_bytes_bucket{le="5"} 2',
    'size_bytes_bucket{le="10"} 3',
    'size_bytes_bucket{le="+Inf"} 4',
    "size_bytes_sum 22.1",
    "size_bytes_count 4",
  ]);
});

test("given observations, when metrics are reset, then there are none", async () => {
  const registry = new Registry();
  const histogram = new HotHistogram(OPTIONS, registry);
  histogram.observe(3);
  registry.resetMetrics();
  expect(await registry.metrics()).toContain("size_bytes_count 0");
  expect(await registry.metrics()).toContain("size_bytes_sum 0");
});
