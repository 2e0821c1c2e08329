import { resolve } from "node:path";
import { describe, expect, it } from "vitest";
import { coded } from "../test/coded.ts";
import { resolveTenantConnectionOptions, type TenantConnectionOptions } from "./tenant-connection-options.ts";

describe("resolveTenantConnectionOptions", () => {
  it("given only a folder, when resolved, then the defaults are those of the documentation", () => {
    expect(resolveTenantConnectionOptions({ dataDir: "data" })).toEqual({
      dataDir: resolve("data"),
      migrations: [],
      maxOpen: 100,
      maxWaiting: 1000,
      waitTimeoutMs: 5000,
      idleTimeoutMs: 60_000,
      reopenDelayMs: 1000,
      busyTimeoutMs: 250,
      maxDatabaseBytes: 0,
    });
  });

  it("given the least of everything, when resolved, then it is taken", () => {
    const least = { maxOpen: 1, maxWaiting: 0, waitTimeoutMs: 0, idleTimeoutMs: 1, reopenDelayMs: 0, busyTimeoutMs: 0 };
    expect(resolveTenantConnectionOptions({ dataDir: "data", ...least })).toMatchObject(least);
  });

  it.each<[string, Partial<TenantConnectionOptions>]>([
    ["dataDir", { dataDir: "" }],
    ["maxOpen", { maxOpen: 0 }],
    ["maxOpen", { maxOpen: 1.5 }],
    ["maxWaiting", { maxWaiting: -1 }],
    ["waitTimeoutMs", { waitTimeoutMs: Number.NaN }],
    ["idleTimeoutMs", { idleTimeoutMs: 0 }],
    ["idleTimeoutMs", { idleTimeoutMs: 2 ** 31 }],
    ["busyTimeoutMs", { busyTimeoutMs: Number.POSITIVE_INFINITY }],
    ["maxDatabaseBytes", { maxDatabaseBytes: 65_535 }],
    ["migrations", { migrations: [{ version: 2, name: "second", up: "" }] }],
  ])("given %s out of its range as in %j, when resolved, then it is refused by its name", (field, options) => {
    expect(() => resolveTenantConnectionOptions({ dataDir: "data", ...options })).toThrow(
      coded("INVALID_OPTION", { field }),
    );
  });
});
