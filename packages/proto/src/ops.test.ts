import { describe, expect, it } from "vitest";
import * as ops from "./ops.ts";

describe("the index of the operations API", () => {
  it("given the subpath, when it is imported, then it exports exactly its documented values", () => {
    expect(Object.keys(ops).toSorted()).toEqual(["ErrorMessageSchema", "OpsService", "TenantSetting", "TenantState"]);
  });

  it("given the service, when its methods are listed, then all of them are unary", () => {
    expect(ops.OpsService.methods.map(({ name, methodKind }) => [name, methodKind])).toEqual(
      [
        "Publish",
        "PublishBatch",
        "ListConnections",
        "Disconnect",
        "CreateTenant",
        "GetTenant",
        "ListTenants",
        "UpdateTenant",
        "SuspendTenant",
        "ResumeTenant",
        "DeleteTenant",
      ].map((name) => [name, "unary"]),
    );
  });
});
