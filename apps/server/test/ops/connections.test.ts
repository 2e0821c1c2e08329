import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { pmctl } from "../pmctl/pmctl-process.ts";
import { ProtocolClient } from "../support/protocol-client.ts";
import { expectUnharmed } from "../support/unharmed.ts";
import { type JsonFailure, OpsServer } from "./ops-server.ts";

interface Listed {
  readonly connections: readonly Readonly<Record<string, string | number>>[];
  readonly next_cursor: string | null;
}

let server: OpsServer;

beforeAll(async () => {
  server = await OpsServer.start();
});

afterAll(async () => {
  await expectUnharmed(server.process);
  await server[Symbol.asyncDispose]();
});

async function listed(query: string): Promise<Listed> {
  const response = await server.get(`/connections${query}`);
  expect(response.status).toBe(200);
  return (await response.json()) as Listed;
}

function connectAs(user: string): Promise<ProtocolClient> {
  return ProtocolClient.connect(server, { tenant: "paged", user });
}

describe("who is connected", () => {
  it("given a client that did something, when connections are read, then everything about it is told", async () => {
    const before = Date.now();
    await using client = await ProtocolClient.connect(server, { tenant: "looked-at", user: "ünï" });
    await client.subscribe("a");
    await client.publish("b", "1");
    const { connections, next_cursor: next } = await listed("?tenant=looked-at");
    expect(next).toBeNull();
    expect(connections).toEqual([
      {
        id: client.welcome.connectionId,
        tenant_id: "looked-at",
        user_id: "ünï",
        address: "127.0.0.1",
        connected_at: expect.stringMatching(/^\d{4}-\d\d-\d\dT.*Z$/),
        idle_ms: expect.any(Number),
        subscriptions: 1,
        messages_in: 2,
        bytes_in: expect.any(Number),
        messages_out: 4,
        bytes_out: expect.any(Number),
        queued_bytes: 0,
        catching_up: 0,
      },
    ]);
    const [info] = connections;
    expect(Math.abs(Date.parse(String(info?.["connected_at"])) - before)).toBeLessThan(5_000);
    expect(Number(info?.["bytes_in"])).toBeGreaterThan(0);
    const { connections: typed } = await server.ops.listConnections({ tenantId: "looked-at" });
    expect(typed[0]).toMatchObject({
      id: client.welcome.connectionId,
      userId: "ünï",
      messagesIn: 2n,
      subscriptions: 1,
    });
  });

  it("given connections of several tenants and users, when they are filtered, then only those are told", async () => {
    const subjects = ["f-1 ada", "f-1 bob", "f-2 ada", "f-1 ada"].map((text) => text.split(" "));
    const clients = await Promise.all(
      subjects.map(([tenant, user]) => ProtocolClient.connect(server, { tenant, user })),
    );
    const queries = [
      "?tenant=f-1",
      "?tenant=f-1&user=ada",
      "?user=ada&tenant=f-2",
      "?tenant=f-3",
      // Given twice, the first counts: it must not stand for everybody.
      "?tenant=f-2&tenant=f-1",
      "?tenant=f-1&user=bob&user=ada",
    ];
    const counts = queries.map(async (query) => (await listed(query)).connections.length);
    expect(await Promise.all(counts)).toEqual([3, 2, 1, 0, 1, 1]);
    await Promise.all(clients.map((client) => client[Symbol.asyncDispose]()));
  });

  it("given connections that come and go, when all pages are read, then each that stayed is on exactly one, the oldest first", async () => {
    const staying: ProtocolClient[] = [];
    const leaving: ProtocolClient[] = [];
    for (let n = 0; n < 12; n += 1) {
      staying.push(await connectAs(`stays-${n}`));
      leaving.push(await connectAs(`leaves-${n}`));
    }
    const seen: string[] = [];
    let cursor = "";
    do {
      const page = await listed(`?tenant=paged&page_size=5&cursor=${cursor}`);
      expect(page.connections.length).toBeLessThanOrEqual(5);
      seen.push(...page.connections.map(({ user_id: user }) => String(user)));
      await leaving.pop()?.[Symbol.asyncDispose]();
      staying.push(await connectAs(`late-${seen.length}`));
      cursor = page.next_cursor ?? "";
    } while (cursor !== "");
    expect(new Set(seen).size).toBe(seen.length);
    const stayed = seen.filter((user) => user.startsWith("stays"));
    expect(stayed).toEqual(Array.from({ length: 12 }, (_, n) => `stays-${n}`));
    await Promise.all([...staying, ...leaving].map((client) => client[Symbol.asyncDispose]()));
  });

  it.each([
    ["?tenant=a%2Fb", "tenant_id"],
    ["?page_size=1001", "page_size"],
    ["?page_size=x", "page_size"],
    ["?cursor=x", "cursor"],
    ["?user_id=ada", "query"],
    ["?tenant=acme&Tenant=acme", "query"],
  ])("given %s, when it is asked for, then it is 400 with the field %s", async (query, field) => {
    const response = await server.get(`/connections${query}`);
    expect([response.status, await response.json()]).toMatchObject([400, { code: "INVALID_MESSAGE", field }]);
  });
});

describe("Disconnect", () => {
  it("given users of two tenants, when one user is disconnected, then that user gets 4503 on every device and nobody else", async () => {
    const subjects = [
      ["d-1", "ada"],
      ["d-1", "ada"],
      ["d-1", "bob"],
      ["d-2", "ada"],
    ];
    const clients = await Promise.all(
      subjects.map(([tenant, user]) => ProtocolClient.connect(server, { tenant, user })),
    );
    const [phone, laptop, colleague, namesake] = clients;
    expect((await server.post("Disconnect", { tenantId: "d-1", userId: "ada" })).body).toEqual({ disconnected: 2 });
    expect([(await phone?.closed)?.code, (await laptop?.closed)?.code]).toEqual([4503, 4503]);
    for (const other of [colleague, namesake]) await other?.expect("pong", { case: "ping", value: {} });
    expect(await server.ops.disconnect({ tenantId: "d-1", wholeTenant: {} })).toMatchObject({ disconnected: 1 });
    expect((await colleague?.closed)?.code).toBe(4503);
    await namesake?.expect("pong", { case: "ping", value: {} });
    await Promise.all(clients.map((client) => client[Symbol.asyncDispose]()));
  });

  it.each([
    ["an empty user", "user_id", { userId: "" }],
    ["no user", "target", {}],
    ["null for a user", "target", { userId: null }],
    ["a user and the whole tenant", "target", { userId: "ada", wholeTenant: {} }],
  ])(
    "given %s, when it is disconnected, then it is refused, not taken for everybody",
    async (_what, field, request) => {
      await using client = await ProtocolClient.connect(server, { tenant: "d-3" });
      const { status, body } = await server.post("Disconnect", { tenantId: "d-3", ...request });
      expect([status, (body as JsonFailure).details?.[0]?.debug]).toMatchObject([400, { field }]);
      await client.expect("pong", { case: "ping", value: {} });
    },
  );

  it("given a misspelt field, when it is posted, then it is 400 and named, and nobody is disconnected", async () => {
    await using client = await ProtocolClient.connect(server, { tenant: "d-4" });
    const { status, body } = await server.post("Disconnect", { tenantId: "d-4", user: "ada", wholeTenant: {} });
    expect([status, (body as JsonFailure).message]).toEqual([400, expect.stringContaining('key "user" is unknown')]);
    await client.expect("pong", { case: "ping", value: {} });
  });
});

describe("pmctl connections", () => {
  it("given connections, when they are listed, then there is a row for each, or a line of JSON", async () => {
    await using one = await ProtocolClient.connect(server, { tenant: "ctl", user: "one" });
    await using two = await ProtocolClient.connect(server, { tenant: "ctl", user: "two" });
    const args = ["connections", "--ops-url", server.opsUrl, "--tenant", "ctl"];
    const table = await pmctl(args);
    const rows = table.stdout.trimEnd().split("\n");
    expect([table.code, table.stderr, rows.length]).toEqual([0, "", 3]);
    expect(rows[0]).toMatch(/^CONNECTED +TENANT +USER +ADDRESS /);
    expect(rows[1]).toMatch(new RegExp(` ctl +one +127\\.0\\.0\\.1 .*${one.welcome.connectionId}$`));
    const { stdout } = await pmctl([...args, "--user", "two", "--json"]);
    const { connections } = await listed("?tenant=ctl&user=two");
    expect({ ...JSON.parse(stdout), idle_ms: 0 }).toEqual({ ...connections[0], idle_ms: 0 });
    expect(connections[0]?.["id"]).toBe(two.welcome.connectionId);
  });
});
