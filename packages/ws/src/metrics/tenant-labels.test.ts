import { expect, test } from "vitest";
import { OTHER_TENANTS, TenantLabels, topTenants } from "./tenant-labels.ts";

test("given more tenants than labels, when they are counted, then the first keep theirs and the rest share one", () => {
  const labels = new TenantLabels(2);
  expect(["a", "b", "c", "a", "d", "b"].map((tenant) => labels.of(tenant))).toEqual([
    "a",
    "b",
    OTHER_TENANTS,
    "a",
    OTHER_TENANTS,
    "b",
  ]);
});

test("given values, when the largest are asked for, then the rest are summed", () => {
  const values: [string, number][] = [
    ["a", 1],
    ["b", 9],
    ["c", 4],
    ["d", 2],
  ];
  expect([...topTenants(values, 2)]).toEqual([
    ["b", 9],
    ["c", 4],
    [OTHER_TENANTS, 3],
  ]);
  expect([...topTenants(values, 4).keys()]).toEqual(["b", "c", "d", "a"]);
  expect(topTenants([], 4).size).toBe(0);
});

test("given a tenant that is called as the rest is, when the largest are asked for, then nothing is left out", () => {
  const values: [string, number][] = [
    [OTHER_TENANTS, 9],
    ["a", 4],
    ["b", 2],
  ];
  expect([...topTenants(values, 2)]).toEqual([
    [OTHER_TENANTS, 11],
    ["a", 4],
  ]);
});
