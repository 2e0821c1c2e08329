import { create } from "@bufbuild/protobuf";
import { parseTenantId, type TenantId } from "@pm/core";
import { OpsService, TenantSetting, TenantState } from "@pm/proto/ops";
import { describe, expect, it } from "vitest";
import { limitsOf, stateFilterOf, tenantMessage, updateOf } from "./tenant-message.ts";

const { input: updateSchema } = OpsService.method.updateTenant;
const acme: TenantId = parseTenantId("acme");

describe("tenantMessage", () => {
  it("given a record without name and limits, when it is told, then the name is empty and the limits are absent", () => {
    const message = tenantMessage({ tenant: acme, state: "suspended", limits: {}, createdAtMs: 1, updatedAtMs: 2 });
    expect(message).toEqual({
      id: "acme",
      state: TenantState.SUSPENDED,
      displayName: "",
      limits: { maxConnections: undefined, publicationsPerSec: undefined, bytesPerSec: undefined },
      createdAtMs: 1n,
      updatedAtMs: 2n,
    });
  });

  it("given limits, when they are told and read back, then they are the same, 0 too", () => {
    const limits = { maxConnections: 7, publicationsPerSec: 0, bytesPerSec: Number.MAX_SAFE_INTEGER };
    const message = tenantMessage({ tenant: acme, state: "active", limits, createdAtMs: 1, updatedAtMs: 2 });
    expect(limitsOf({ ...message.limits, $typeName: "pm.v1.TenantLimits" })).toEqual(limits);
  });
});

describe("updateOf", () => {
  it.each([
    ["nothing", {}, { displayName: undefined, limits: { maxConnections: undefined } }],
    ["a name", { displayName: "A" }, { displayName: "A" }],
    ["a limit", { limits: { maxConnections: 3 } }, { displayName: undefined, limits: { maxConnections: 3 } }],
    ["a name to clear", { clear: [TenantSetting.DISPLAY_NAME] }, { displayName: null }],
    [
      "one limit to set and one to clear",
      { limits: { bytesPerSec: 1n }, clear: [TenantSetting.MAX_CONNECTIONS] },
      { displayName: undefined, limits: { maxConnections: null, bytesPerSec: 1 } },
    ],
    [
      "the same to clear twice",
      { clear: [TenantSetting.BYTES_PER_SEC, TenantSetting.BYTES_PER_SEC] },
      { limits: { bytesPerSec: null } },
    ],
  ])(
    "given %s, when it is read, then what is given is set, what is cleared is null, and the rest is left",
    (_what, init, update) => {
      expect(updateOf(create(updateSchema, init))).toMatchObject(update);
    },
  );

  it.each([
    [{ clear: [TenantSetting.UNSPECIFIED] }],
    [{ clear: [99 as TenantSetting] }],
    [{ limits: { maxConnections: 1 }, clear: [TenantSetting.MAX_CONNECTIONS] }],
    [{ limits: { publicationsPerSec: 0 }, clear: [TenantSetting.PUBLICATIONS_PER_SEC] }],
  ])("given %j, when it is read, then it is refused", (init) => {
    expect(() => updateOf(create(updateSchema, init))).toThrow(expect.objectContaining({ field: "clear" }));
  });
});

describe("stateFilterOf", () => {
  it("given each state, when it is read, then it is that of the directory, or none", () => {
    const { UNSPECIFIED, ACTIVE, SUSPENDED } = TenantState;
    expect([UNSPECIFIED, ACTIVE, SUSPENDED].map(stateFilterOf)).toEqual([undefined, "active", "suspended"]);
  });
});
