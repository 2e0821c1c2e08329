import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { parseTenantId, silentLogger, systemClock } from "@pm/core";
import { TenantDirectory } from "@pm/db";
import { TenantSetting, TenantState } from "@pm/proto/ops";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { pmctl, type PmctlResult } from "../pmctl/pmctl-process.ts";
import { ProtocolClient } from "../support/protocol-client.ts";
import { expectUnharmed } from "../support/unharmed.ts";
import { bearer, refusalOf, upgrade } from "../support/upgrade.ts";
import { type JsonFailure, OpsServer } from "./ops-server.ts";

/** Within which a suspended tenant has no connection any more, in milliseconds. */
const SUSPENSION_MS = 2_000;

let dataDir: string;
let server: OpsServer;

async function start(settings: Readonly<Record<string, string>> = {}): Promise<OpsServer> {
  return OpsServer.start({ TENANT_VALIDATION: "directory", DATA_DIR: dataDir, ...settings });
}

/** How a handshake with the token in a header ends. */
async function refusal(tenant: string): Promise<readonly [status: number, code: string]> {
  const answer = await upgrade(server.process, { headers: [await bearer({ tenant })] });
  return [answer.status, refusalOf(answer).code];
}

beforeAll(async () => {
  dataDir = mkdtempSync(join(tmpdir(), "pm-tenants-"));
  server = await start({ TENANT_PUBLICATIONS_PER_SEC: "1000", RATE_LIMIT_REQUESTS: "1000" });
  await server.ops.createTenant({ tenantId: "healthy" });
});

afterAll(async () => {
  await expectUnharmed(server.process);
  await server[Symbol.asyncDispose]();
  rmSync(dataDir, { recursive: true });
});

describe("tenants of the directory", () => {
  it("given a tenant that is not in it, when it connects, then it is refused, by a status or by a close", async () => {
    expect(await refusal("nobody")).toEqual([403, "TENANT_UNKNOWN"]);
    await using browser = await ProtocolClient.open(server, { tenant: "nobody", via: "subprotocol" });
    expect(await browser.take("error")).toMatchObject({ code: "TENANT_UNKNOWN" });
    expect((await browser.closed).code).toBe(4503);
  });

  it("given a tenant that is made, when it connects, then it may at once, and Acme is not acme", async () => {
    expect(await refusal("acme")).toEqual([403, "TENANT_UNKNOWN"]);
    await server.post("CreateTenant", { tenantId: "acme" });
    await using client = await ProtocolClient.connect(server, { tenant: "acme" });
    expect(client.welcome.tenantId).toBe("acme");
    expect(await refusal("Acme")).toEqual([403, "TENANT_UNKNOWN"]);
  });

  it("given connections of two tenants, when one tenant is suspended, then its own are closed with 4503 within 2 s and it stays out until it is resumed", async () => {
    await server.ops.createTenant({ tenantId: "s-1" });
    await server.ops.createTenant({ tenantId: "s-2" });
    const clients = await Promise.all(
      ["ada", "bob"].map((user) => ProtocolClient.connect(server, { tenant: "s-1", user })),
    );
    await using bystander = await ProtocolClient.connect(server, { tenant: "s-2" });
    const begunMs = performance.now();
    expect(await server.ops.suspendTenant({ tenantId: "s-1" })).toMatchObject({
      tenant: { state: TenantState.SUSPENDED },
    });
    for (const client of clients) {
      const { code, atMs } = await client.closed;
      expect(code).toBe(4503);
      expect(atMs - begunMs).toBeLessThan(SUSPENSION_MS);
    }
    expect(await refusal("s-1")).toEqual([403, "TENANT_SUSPENDED"]);
    await using browser = await ProtocolClient.open(server, { tenant: "s-1", via: "subprotocol" });
    expect((await browser.closed).code).toBe(4503);
    await bystander.expect("pong", { case: "ping", value: {} });

    await server.ops.resumeTenant({ tenantId: "s-1" });
    await using back = await ProtocolClient.connect(server, { tenant: "s-1" });
    await back.expect("pong", { case: "ping", value: {} });
  });

  it("given a connection, when another process suspends its tenant, then it is closed with 4503 within 2 s; and resumed likewise", async () => {
    await using other = new TenantDirectory({ dataDir }, { clock: systemClock, logger: silentLogger });
    await other.start();
    const tenant = parseTenantId("elsewhere");
    await other.create(tenant);
    await using client = await ProtocolClient.connect(server, { tenant });
    const begunMs = performance.now();
    await other.suspend(tenant);
    const { code, atMs } = await client.closed;
    expect(code).toBe(4503);
    expect(atMs - begunMs).toBeLessThan(SUSPENSION_MS);
    await other.resume(tenant);
    await expect.poll(() => refusalCode(tenant), { timeout: SUSPENSION_MS }).toBe("accepted");
  });

  it("given connections that open while their tenant is suspended, when all has settled, then none is left", async () => {
    await server.ops.createTenant({ tenantId: "race" });
    for (let round = 0; round < 5; round += 1) {
      const opening = Array.from({ length: 20 }, (_, n) =>
        ProtocolClient.open(server, { tenant: "race", user: `u-${n}` }).catch(() => undefined),
      );
      await server.ops.suspendTenant({ tenantId: "race" });
      const opened = await Promise.all(opening);
      for (const client of opened) if (client !== undefined) expect((await client.closed).code).toBe(4503);
      const { connections } = await server.ops.listConnections({ tenantId: "race" });
      expect(connections).toEqual([]);
      await server.ops.resumeTenant({ tenantId: "race" });
    }
  });

  it("given a connection, when its tenant is deleted, then it is closed with 4503 and the tenant is unknown", async () => {
    await server.ops.createTenant({ tenantId: "deleted" });
    await using client = await ProtocolClient.connect(server, { tenant: "deleted" });
    expect((await server.post("DeleteTenant", { tenantId: "deleted" })).body).toEqual({ enforced: true });
    expect((await client.closed).code).toBe(4503);
    expect(await refusal("deleted")).toEqual([403, "TENANT_UNKNOWN"]);
  });

  it("given a tenant that is deleted, when another gets its name, then nothing is left of what was published", async () => {
    await server.ops.createTenant({ tenantId: "name" });
    await using before = await ProtocolClient.connect(server, { tenant: "name" });
    const { position: since } = await before.publish("a", "1");
    await server.ops.deleteTenant({ tenantId: "name" });
    await server.ops.createTenant({ tenantId: "name" });
    await using after = await ProtocolClient.connect(server, { tenant: "name" });
    const page = await after.expect("historyPage", { case: "readHistory", value: { channel: "a" } });
    expect(page.publications).toEqual([]);
    const subscribed = await after.expect("subscribed", { case: "subscribe", value: { channel: "a", since } });
    expect(subscribed).toMatchObject({ recovered: false, position: { offset: 0n } });
  });

  it("given tenants that are unknown or suspended, when a backend publishes to them, then it is told so", async () => {
    await server.ops.createTenant({ tenantId: "closed" });
    await server.ops.suspendTenant({ tenantId: "closed" });
    const answers = ["closed", "nobody"].map((tenantId) => server.post("Publish", { tenantId, channel: "a" }));
    expect((await Promise.all(answers)).map(({ status, body }) => [status, (body as JsonFailure).code])).toEqual([
      [400, "failed_precondition"],
      [404, "not_found"],
    ]);
  });
});

/** How a handshake ends: "accepted", or the code of the refusal. */
async function refusalCode(tenant: string): Promise<string> {
  const answer = await upgrade(server.process, { headers: [await bearer({ tenant })] });
  return answer.status === 101 ? "accepted" : refusalOf(answer).code;
}

describe("limits of a tenant's own", () => {
  it("given a limit on connections, when there are as many, then the next is 429; and a higher limit holds at once", async () => {
    await server.post("CreateTenant", { tenantId: "small", limits: { maxConnections: 1 } });
    await using first = await ProtocolClient.connect(server, { tenant: "small" });
    expect(await refusal("small")).toEqual([429, "CONNECTION_LIMIT"]);
    await server.post("UpdateTenant", { tenantId: "small", limits: { maxConnections: 2 } });
    await using second = await ProtocolClient.connect(server, { tenant: "small" });
    for (const client of [first, second]) await client.expect("pong", { case: "ping", value: {} });
  });

  it("given a limit on channels, when there are as many, then the next one is refused, and one that is there is not", async () => {
    await server.post("CreateTenant", { tenantId: "narrow", limits: { maxChannels: 1 } });
    await using client = await ProtocolClient.connect(server, { tenant: "narrow" });
    await using other = await ProtocolClient.connect(server, { tenant: "narrow" });
    await client.expect("subscribed", { case: "subscribe", value: { channel: "a" } });
    const error = await client.refusal({ case: "subscribe", value: { channel: "b" } });
    expect(error).toMatchObject({ code: "LIMIT_EXCEEDED", field: "channel" });
    await other.expect("subscribed", { case: "subscribe", value: { channel: "a" } });
  });

  it("given a quota of publications, when it is used up by one user, then all publishers of the tenant wait as told, and no other tenant", async () => {
    await server.post("CreateTenant", { tenantId: "quiet", limits: { publicationsPerSec: 5 } });
    await server.post("CreateTenant", { tenantId: "loud" });
    await using one = await ProtocolClient.connect(server, { tenant: "quiet", user: "one" });
    await using two = await ProtocolClient.connect(server, { tenant: "quiet", user: "two" });
    await using other = await ProtocolClient.connect(server, { tenant: "loud" });
    for (let n = 0; n < 5; n += 1) await one.publish("a", "1");
    const error = await two.refusal({ case: "publish", value: { channel: "a" } });
    expect(error).toMatchObject({ code: "RATE_LIMIT_EXCEEDED", retryable: true });
    expect(error.retryAfterMs).toBeGreaterThan(0);
    expect(error.retryAfterMs).toBeLessThanOrEqual(200);
    for (let n = 0; n < 50; n += 1) await other.publish("a", "1");

    await server.post("UpdateTenant", { tenantId: "quiet", limits: { publicationsPerSec: 0 } });
    for (let n = 0; n < 50; n += 1) await two.publish("a", "1");
  });

  it("given a quota of bytes, when a publication is over what is left, then it waits as told; cleared, the quota is gone", async () => {
    await server.post("CreateTenant", { tenantId: "thin", limits: { bytesPerSec: 10_000 } });
    await using client = await ProtocolClient.connect(server, { tenant: "thin" });
    // The burst holds a message of the largest size.
    await client.publish("a", "x".repeat(60_000));
    const large = {
      case: "publish",
      value: { channel: "a", payload: { kind: { case: "json", value: "x".repeat(30_000) } } },
    } as const;
    const error = await client.refusal(large);
    expect(error.code).toBe("RATE_LIMIT_EXCEEDED");
    expect(error.retryAfterMs).toBeGreaterThan(1_000);
    await server.ops.updateTenant({ tenantId: "thin", clear: [TenantSetting.BYTES_PER_SEC] });
    await client.expect("published", large);
    await client.expect("published", large);
  });
});

describe("the tenants of the typed API", () => {
  it("given a tenant, when it is made, read, changed and listed, then each answer has all of it", async () => {
    const made = await server.post("CreateTenant", {
      tenantId: "full",
      displayName: "Full & Co. ünï",
      limits: { maxConnections: 7, publicationsPerSec: 0, bytesPerSec: "9007199254740991" },
    });
    const tenant = {
      id: "full",
      state: "TENANT_STATE_ACTIVE",
      displayName: "Full & Co. ünï",
      limits: { maxConnections: 7, publicationsPerSec: 0, bytesPerSec: "9007199254740991" },
      createdAtMs: expect.stringMatching(/^\d{13}$/),
      updatedAtMs: expect.stringMatching(/^\d{13}$/),
    };
    expect([made.status, made.body]).toEqual([200, { tenant }]);
    expect((await server.post("GetTenant", { tenantId: "full" })).body).toEqual(made.body);
    const changed = await server.post("UpdateTenant", {
      tenantId: "full",
      displayName: "Full",
      limits: { maxConnections: 8 },
      clear: ["TENANT_SETTING_BYTES_PER_SEC"],
    });
    const after = { ...tenant, displayName: "Full", limits: { maxConnections: 8, publicationsPerSec: 0 } };
    expect(changed.body).toEqual({ tenant: after });
    const { tenants } = await server.ops.listTenants({ state: TenantState.ACTIVE, pageSize: 1000 });
    expect(tenants.find(({ id }) => id === "full")).toMatchObject({ displayName: "Full" });
  });

  it("given many tenants, when they are listed page by page, then each is there once, in the order of their ids", async () => {
    for (let n = 0; n < 9; n += 1) await server.ops.createTenant({ tenantId: `page-${n}` });
    const seen: string[] = [];
    let cursor = "";
    do {
      const page = await server.ops.listTenants({ pageSize: 4, cursor });
      seen.push(...page.tenants.map(({ id }) => id));
      cursor = page.nextCursor;
    } while (cursor !== "");
    expect(seen).toEqual([...new Set(seen)].toSorted());
    expect(seen.filter((id) => id.startsWith("page-"))).toHaveLength(9);
  });

  it.each([
    ["GetTenant", { tenantId: "nobody" }, 404, "TENANT_UNKNOWN", ""],
    ["SuspendTenant", { tenantId: "nobody" }, 404, "TENANT_UNKNOWN", ""],
    ["DeleteTenant", { tenantId: "nobody" }, 404, "TENANT_UNKNOWN", ""],
    ["CreateTenant", { tenantId: "healthy" }, 409, "TENANT_EXISTS", ""],
    ["CreateTenant", { tenantId: "../etc" }, 400, "INVALID_MESSAGE", "tenant_id"],
    ["CreateTenant", { tenantId: "n", displayName: "a\nb" }, 400, "INVALID_MESSAGE", "display_name"],
    ["CreateTenant", { tenantId: "n", limits: { maxConnections: 0 } }, 400, "INVALID_MESSAGE", "max_connections"],
    [
      "CreateTenant",
      { tenantId: "n", limits: { bytesPerSec: "9007199254740992" } },
      400,
      "INVALID_MESSAGE",
      "bytes_per_sec",
    ],
    ["UpdateTenant", { tenantId: "healthy", displayName: "" }, 400, "INVALID_MESSAGE", "display_name"],
    ["UpdateTenant", { tenantId: "healthy", clear: [0] }, 400, "INVALID_MESSAGE", "clear"],
    ["UpdateTenant", { tenantId: "healthy", displayName: "a", clear: [1] }, 400, "INVALID_MESSAGE", "clear"],
    ["ListTenants", { pageSize: 1001 }, 400, "INVALID_MESSAGE", "page_size"],
    ["ListTenants", { cursor: "!" }, 400, "INVALID_MESSAGE", "cursor"],
    ["ListTenants", { state: 9 }, 400, "INVALID_MESSAGE", "state"],
  ])("given %s of %j, when it is called, then it is %d %s", async (method, request, status, code, field) => {
    const answer = await server.post(method, request);
    const [detail] = (answer.body as JsonFailure).details ?? [];
    expect([answer.status, detail?.debug["code"], detail?.debug["field"] ?? ""]).toEqual([status, code, field]);
    expect(JSON.stringify(answer.body)).not.toContain(dataDir);
  });
});

describe("the directory and restarts", () => {
  let own: string;

  beforeEach(() => {
    own = mkdtempSync(join(tmpdir(), "pm-restart-"));
  });
  afterEach(() => rmSync(own, { recursive: true }));

  it("given tenants that were made, limited and suspended, when the server is killed and starts again, then all is as it was", async () => {
    const settings = { TENANT_VALIDATION: "directory", DATA_DIR: own };
    await using first = await OpsServer.start(settings);
    await first.ops.createTenant({ tenantId: "kept", displayName: "Kept", limits: { maxConnections: 3 } });
    await first.ops.createTenant({ tenantId: "out" });
    await first.ops.suspendTenant({ tenantId: "out" });
    const before = await first.ops.listTenants({});
    first.process.signal("SIGKILL");
    await first.process.exit;
    await using second = await OpsServer.start(settings);
    expect(await second.ops.listTenants({})).toEqual(before);
    await using client = await ProtocolClient.connect(second, { tenant: "kept" });
    await client.expect("pong", { case: "ping", value: {} });
    expect((await upgrade(second.process, { headers: [await bearer({ tenant: "out" })] })).status).toBe(403);
  });

  it("given a directory whose changes cannot be read, when a tenant is suspended, then nobody is told that it is out, and it is as soon as they can", async () => {
    await using broken = await OpsServer.start({ TENANT_VALIDATION: "directory", DATA_DIR: own });
    await broken.ops.createTenant({ tenantId: "acme" });
    await using client = await ProtocolClient.connect(broken, { tenant: "acme" });
    using shell = new DatabaseSync(join(own, "directory.db"));
    shell.exec("ALTER TABLE tenant_changes RENAME TO away");
    const answer = await broken.post("SuspendTenant", { tenantId: "acme" });
    expect([answer.status, (answer.body as JsonFailure).code]).toEqual([503, "unavailable"]);
    expect(answer.headers.get("retry-after")).toBe("1");
    await client.expect("pong", { case: "ping", value: {} });
    shell.exec("ALTER TABLE away RENAME TO tenant_changes");
    expect((await client.closed).code).toBe(4503);
    expect(await broken.ops.suspendTenant({ tenantId: "acme" })).toMatchObject({ enforced: true });
  });

  it("given a directory whose changes cannot be read, when a tenant is deleted, then nobody is told that it is out, and it is as soon as they can", async () => {
    await using broken = await OpsServer.start({ TENANT_VALIDATION: "directory", DATA_DIR: own });
    await broken.ops.createTenant({ tenantId: "acme" });
    await using client = await ProtocolClient.connect(broken, { tenant: "acme" });
    using shell = new DatabaseSync(join(own, "directory.db"));
    shell.exec("ALTER TABLE tenant_changes RENAME TO away");
    expect((await broken.post("DeleteTenant", { tenantId: "acme" })).status).toBe(503);
    await client.expect("pong", { case: "ping", value: {} });
    shell.exec("ALTER TABLE away RENAME TO tenant_changes");
    expect((await client.closed).code).toBe(4503);
  });

  it("given no validation, when the directory is used, then it works, and says nothing about who may connect", async () => {
    await using free = await OpsServer.start({ DATA_DIR: own });
    const health = (await (await free.get("/health")).json()) as { subsystems: Record<string, { state: string }> };
    expect(health.subsystems["tenant_directory"]?.state).toBe("off");
    await free.ops.createTenant({ tenantId: "acme" });
    await using client = await ProtocolClient.connect(free, { tenant: "anybody" });
    await using suspended = await ProtocolClient.connect(free, { tenant: "acme" });
    expect(await free.ops.suspendTenant({ tenantId: "acme" })).toMatchObject({ enforced: false });
    for (const one of [client, suspended]) await one.expect("pong", { case: "ping", value: {} });
    expect((await free.post("Publish", { tenantId: "anybody", channel: "a" })).status).toBe(200);
  });

  it("given a server without validation, when a tenant is suspended or deleted, then it is said that it can still connect", async () => {
    await using free = await OpsServer.start({ DATA_DIR: own });
    const ask = (verb: string): Promise<PmctlResult> => pmctl(["tenant", verb, "loose", "--ops-url", free.opsUrl]);
    expect(await ask("create")).toMatchObject({ code: 0, stderr: "" });
    for (const verb of ["suspend", "delete"]) {
      const { code, stderr } = await ask(verb);
      expect(code).toBe(0);
      expect(stderr).toBe(
        "pmctl: loose can still connect: this server does not validate tenants (TENANT_VALIDATION=off)\n",
      );
    }
  });
});

function run(...args: string[]): Promise<PmctlResult> {
  return pmctl(["tenant", ...args, "--ops-url", server.opsUrl]);
}

describe("pmctl tenant", () => {
  it("given a tenant, when its life is run through by commands, then each says what it is now", async () => {
    const made = await run(
      "create",
      "ctl",
      "--name",
      "Ctl Ltd",
      "--max-connections",
      "5",
      "--publications-per-sec",
      "0",
    );
    expect([made.code, made.stderr]).toEqual([0, ""]);
    expect(made.stdout).toMatch(
      /^tenant +ctl\nstate +active\nconnections +5\nchannels +-\npublications\/s +unlimited\nbytes\/s +-\nname +Ctl Ltd\ncreated /,
    );
    const updated = await run(
      "update",
      "ctl",
      "--bytes-per-sec",
      "1000",
      "--clear",
      "name",
      "--clear",
      "max-connections",
      "--json",
    );
    expect(JSON.parse(updated.stdout)).toMatchObject({
      id: "ctl",
      state: "active",
      limits: { publications_per_sec: 0, bytes_per_sec: 1000 },
    });
    await using client = await ProtocolClient.connect(server, { tenant: "ctl" });
    const suspended = await run("suspend", "ctl");
    expect(suspended.stdout).toMatch(/^state +suspended$/m);
    expect(suspended.stderr).toBe("");
    expect((await client.closed).code).toBe(4503);
    const { stdout } = await run("list", "--state", "suspended");
    expect(stdout.split("\n").map((line) => line.split(/ +/).slice(0, 6))).toContainEqual([
      "ctl",
      "suspended",
      "-",
      "-",
      "unlimited",
      "1000",
    ]);
    expect((await run("resume", "ctl")).stdout).toMatch(/^state +active$/m);
    expect(await run("delete", "ctl")).toEqual({ code: 0, stdout: "", stderr: "" });
    const gone = await run("show", "ctl");
    expect([gone.code, gone.stdout]).toEqual([1, ""]);
    expect(gone.stderr).toMatch(/^pmctl: TENANT_UNKNOWN: The tenant is not known\. \([\da-f-]{36}\)\n$/);
  });
});

describe("pmctl and the key of the operations listener", () => {
  it("given a key, when a command has none, a wrong one or the right one, then it says so or works", async () => {
    await using locked = await OpsServer.start({ OPS_KEY: "a-key-of-the-operations-listener" });
    const args = ["tenant", "list", "--ops-url", locked.opsUrl];
    const without = await pmctl(args);
    expect(without.stderr).toBe(
      `pmctl: ${locked.opsUrl}: The key of the operations listener is required. Give it in OPS_KEY.\n`,
    );
    expect((await pmctl([...args, "--ops-key", "wrong"])).stderr).toContain("not the one of the operations listener");
    const env = { OPS_KEY: "a-key-of-the-operations-listener", OPS_BIND_ADDR: locked.opsUrl.slice("http://".length) };
    const right = await pmctl(["tenant", "list"], { env });
    expect([right.code, right.stderr]).toEqual([0, ""]);
    expect(right.stdout).toMatch(/^TENANT +STATE/);
  });

  it("given nothing that listens, when a command asks, then it says in one line that there is none", async () => {
    const { code, stderr } = await pmctl(["connections", "--ops-url", "http://127.0.0.1:1"]);
    expect(code).toBe(1);
    expect(stderr).toMatch(/^pmctl: http:\/\/127\.0\.0\.1:1 does not answer as an operations listener \([^\n]+\)\n$/);
  });
});
