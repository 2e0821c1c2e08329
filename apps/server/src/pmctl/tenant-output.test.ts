import { create } from "@bufbuild/protobuf";
import { OpsService, TenantState } from "@pm/proto/ops";
import { describe, expect, it } from "vitest";
import { tenantJson, tenantLines, tenantRow } from "./tenant-output.ts";

const { tenant: acme = fail() } = create(OpsService.method.getTenant.output, {
  tenant: {
    id: "acme",
    state: TenantState.SUSPENDED,
    displayName: "Acme\u001b[31m",
    limits: { maxConnections: 5, publicationsPerSec: 0, bytesPerSec: 1000n, maxChannels: 70 },
    createdAtMs: 1_700_000_000_000n,
    updatedAtMs: 1_700_000_001_000n,
  },
});
const { tenant: plain = fail() } = create(OpsService.method.getTenant.output, {
  tenant: { id: "plain", state: TenantState.ACTIVE, createdAtMs: 0n },
});

function fail(): never {
  throw new Error("there is no tenant");
}

describe("a tenant in a terminal", () => {
  it("given limits of its own, when it is a row, then each is told, and none of the server's", () => {
    expect(tenantRow(acme)).toEqual(["acme", "suspended", "5", "70", "unlimited", "1000", "Acme\u001b[31m"]);
    expect(tenantRow(plain)).toEqual(["plain", "active", "-", "-", "-", "-", ""]);
  });

  it("given a name with control characters, when it is shown, then they are seen and do nothing", () => {
    expect(tenantLines(acme)).toEqual([
      "tenant          acme",
      "state           suspended",
      "connections     5",
      "channels        70",
      "publications/s  unlimited",
      "bytes/s         1000",
      "name            Acme␛[31m",
      "created         2023-11-14T22:13:20.000Z",
      "updated         2023-11-14T22:13:21.000Z",
    ]);
  });

  it("given a tenant, when it is JSON, then what it has not set is absent", () => {
    expect(JSON.parse(tenantJson(acme))).toMatchObject({
      id: "acme",
      state: "suspended",
      limits: { max_connections: 5, publications_per_sec: 0, bytes_per_sec: 1000, max_channels: 70 },
      created_at: "2023-11-14T22:13:20.000Z",
    });
    expect(JSON.parse(tenantJson(plain))).toMatchObject({ id: "plain", state: "active", limits: {} });
    expect(tenantJson(plain)).not.toContain("display_name");
  });
});
