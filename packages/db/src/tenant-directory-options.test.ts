import { resolve } from "node:path";
import { describe, expect, it } from "vitest";
import { resolveTenantDirectoryOptions } from "./tenant-directory-options.ts";

describe("resolveTenantDirectoryOptions", () => {
  it("given only a folder, when resolved, then the defaults are those of the documentation", () => {
    expect(resolveTenantDirectoryOptions({ dataDir: "data" })).toEqual({
      dataDir: resolve("data"),
      pollIntervalMs: 1000,
      busyTimeoutMs: 250,
    });
  });
});
