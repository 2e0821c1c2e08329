import { describe, expect, it } from "vitest";
import { tenantFolder } from "./tenant-folder.ts";

describe("tenantFolder", () => {
  it.each([
    ["acme", "acme"],
    ["Acme", "acme+1"],
    ["aCme", "acme+2"],
    ["ACME", "acme+f"],
    ["acme.eu-1_x", "acme.eu-1_x"],
    ["con", "con"],
    ["a..", "a.."],
    ["A..", "a..+1"],
    ["0.0.", "0.0."],
  ])("given the tenant %s, when its folder is named, then it is %s", (tenant, folder) => {
    expect(tenantFolder(tenant)).toBe(folder);
  });

  it("given the longest id in upper case, when its folder is named, then a file system takes it", () => {
    expect(tenantFolder("A".repeat(128))).toHaveLength(161);
  });

  it.each(["", ".", "..", "../acme", "a/b", "a\\b", "a\0b", "-a", "_a", ".a", "ａcme", "a+1", "a b", "A".repeat(129)])(
    "given %j, which is not a tenant id, when its folder is named, then it is refused",
    (tenant) => {
      expect(() => tenantFolder(tenant)).toThrow(expect.objectContaining({ code: "INVALID_NAME", field: "tenant_id" }));
    },
  );
});
