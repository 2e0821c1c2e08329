import { parseTenantId } from "@pm/core";
import { beforeEach, describe, expect, test } from "vitest";
import { ConnectionRegistry, type RegisteredConnection } from "./connection-registry.ts";

let maxOfTenant: number;
let registry: ConnectionRegistry<RegisteredConnection>;
let connected: number;

beforeEach(() => {
  maxOfTenant = 2;
  connected = 0;
  registry = new ConnectionRegistry({ maxTotal: 5, maxOfTenant: () => maxOfTenant });
});

function connect(tenant = "t1", user = "u1", sessionId = ""): RegisteredConnection {
  const id = parseTenantId(tenant);
  const slot = registry.reserve(id);
  const context = { tenant: id, user, roles: [], grants: undefined, expiresAtMs: 0 };
  const connection = { id: `c${++connected}`, context, slot, sessionId };
  registry.add(connection);
  registry.claimSession(connection);
  return connection;
}

function disconnect(connection: RegisteredConnection): void {
  registry.remove(connection);
  connection.slot.release();
}

describe("limits", () => {
  test("given a tenant at its limit, when one more comes, then it is refused, and other tenants are not", () => {
    connect();
    connect();
    expect(() => connect()).toThrow(expect.objectContaining({ code: "CONNECTION_LIMIT", retryAfterMs: 5000 }));
    connect("t2");
    expect(registry.size).toBe(3);
  });

  test("given a full process, when one more comes, then it is UNAVAILABLE for every tenant", () => {
    maxOfTenant = 10;
    for (let i = 0; i < 5; i++) connect();
    expect(() => connect("t2")).toThrow(expect.objectContaining({ code: "UNAVAILABLE" }));
  });

  test("given a slot, when it is released twice, then only one place comes free", () => {
    const first = connect();
    connect();
    first.slot.release();
    first.slot.release();
    connect();
    expect(() => connect()).toThrow(expect.objectContaining({ code: "CONNECTION_LIMIT" }));
  });

  test("given a slot, when it is released twice, then only one place of the process comes free", () => {
    maxOfTenant = 10;
    const [first] = Array.from({ length: 5 }, () => connect());
    first?.slot.release();
    first?.slot.release();
    connect();
    expect(() => connect()).toThrow(expect.objectContaining({ code: "UNAVAILABLE" }));
  });

  test("given a slot that was yielded, when it is released, then the tenant's place is not freed again", () => {
    const first = connect();
    connect();
    first.slot.yield();
    first.slot.yield();
    connect();
    first.slot.release();
    first.slot.yield();
    expect(() => connect()).toThrow(expect.objectContaining({ code: "CONNECTION_LIMIT" }));
  });

  test("given a slot that was yielded, when the process is full, then its place there is still taken", () => {
    maxOfTenant = 10;
    const [first] = [connect(), connect(), connect(), connect(), connect()];
    first.slot.yield();
    expect(() => connect()).toThrow(expect.objectContaining({ code: "UNAVAILABLE" }));
    first.slot.release();
    connect();
  });

  test("given a limit that changes, when the next one comes, then the new limit counts", () => {
    connect();
    connect();
    maxOfTenant = 3;
    connect();
    expect(() => connect()).toThrow(expect.objectContaining({ code: "CONNECTION_LIMIT" }));
  });
});

describe("sessions", () => {
  test("given a session, when it connects anew before the old socket ends, then the old one leaves its place", () => {
    connect("t1", "u1", "s1");
    connect("t1", "u1", "s1");
    connect("t1", "u2");
    expect(() => connect()).toThrow(expect.objectContaining({ code: "CONNECTION_LIMIT" }));
  });

  test.each([
    ["user", "t1", "u2", "s1"],
    ["session", "t1", "u1", "s2"],
    ["unnamed session", "t1", "u1", ""],
    ["session that runs into the user", "t1", "1", "s1u"],
  ])("given another %s, when it connects, then nobody leaves a place", (_, tenant, user, session) => {
    connect("t1", "u1", "s1");
    connect(tenant, user, session);
    expect(() => connect()).toThrow(expect.objectContaining({ code: "CONNECTION_LIMIT" }));
  });

  test("given another tenant, when its client names the same session, then nobody leaves a place", () => {
    connect("t1", "u1", "s1");
    connect("t1", "u2");
    connect("t2", "u1", "s1");
    expect(() => connect()).toThrow(expect.objectContaining({ code: "CONNECTION_LIMIT" }));
  });

  test("given a session that never ends its old sockets, when it connects on, then twice the limit is the most", () => {
    let opened = 0;
    expect(() => {
      for (; opened < 10; opened++) connect("t1", "u1", "s1");
    }).toThrow(expect.objectContaining({ code: "CONNECTION_LIMIT" }));
    expect(opened).toBeLessThanOrEqual(2 * maxOfTenant);
    expect(opened).toBeGreaterThan(maxOfTenant);
  });

  test("given a session whose older connection ends late, when the newest is claimed from, then it still holds it", () => {
    maxOfTenant = 3;
    const older = connect("t1", "u1", "s1");
    connect("t1", "u1", "s1");
    disconnect(older);
    connect("t1", "u1", "s1");
    connect();
    connect();
    expect(() => connect()).toThrow();
  });
});

describe("looking up", () => {
  test("given connections, when they are found, then by tenant and user, those of a tenant in the order in which they came", () => {
    const [a, b, c] = [connect("t1", "u1"), connect("t2", "u1"), connect("t1", "u2")];
    expect([...registry.find()]).toEqual([a, c, b]);
    expect([...registry.find({ tenant: parseTenantId("t1") })]).toEqual([a, c]);
    expect([...registry.find({ user: "u1" })]).toEqual([a, b]);
    expect([...registry.find({ tenant: parseTenantId("t1"), user: "u2" })]).toEqual([c]);
    expect([...registry.find({ tenant: parseTenantId("t3") })]).toEqual([]);
    expect([...registry.tenants()]).toEqual([
      ["t1", 2],
      ["t2", 1],
    ]);
  });

  test("given a tenant's last connection, when it ends, then the tenant is gone", () => {
    const only = connect();
    disconnect(only);
    expect(registry).toMatchObject({ size: 0, tenantCount: 0 });
    expect([...registry.find()]).toEqual([]);
    expect([...registry.tenants()]).toEqual([]);
  });
});
