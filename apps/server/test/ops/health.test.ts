import { mkdtempSync, rmSync } from "node:fs";
import { DatabaseSync } from "node:sqlite";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { ProtocolClient } from "../support/protocol-client.ts";
import { bearer, refusalOf, upgrade } from "../support/upgrade.ts";
import { OpsServer } from "./ops-server.ts";

interface Details {
  readonly status: string;
  readonly phase: string;
  readonly subsystems: Readonly<
    Record<string, { readonly state: string; readonly numbers: Readonly<Record<string, number>> }>
  >;
}

/** Blocks the event loop of the process for 600 ms on SIGUSR2. */
const BLOCKING = `data:text/javascript,process.on("SIGUSR2",()=>{const end=Date.now()+600;while(Date.now()<end);})`;

/** Holds more and more from SIGUSR2 on: much at once, then 25 MB a second, and 6 MB a second near the end. */
const LEAKING = `data:text/javascript,const held=[];const hold=(n)=>{for(let i=0;i<n;i++)held.push([i,i,i,i]);};process.on("SIGUSR2",()=>{hold(2e6);setInterval(()=>hold(process.memoryUsage().heapUsed<24e7?6000:1500),20);})`;

let dataDir: string;

beforeEach(() => {
  dataDir = mkdtempSync(join(tmpdir(), "pm-health-"));
});
afterEach(() => rmSync(dataDir, { recursive: true }));

async function details(server: OpsServer): Promise<Details> {
  return (await (await server.get("/health")).json()) as Details;
}

describe("health", () => {
  it("given a server, when operators read its health, then every part has its state and its numbers", async () => {
    await using server = await OpsServer.start({ TENANT_VALIDATION: "directory", MAX_TOTAL_CONNECTIONS: "20" });
    await server.ops.createTenant({ tenantId: "acme" });
    await using client = await ProtocolClient.connect(server);
    const { status, phase, subsystems } = await details(server);
    expect([status, phase]).toEqual(["ok", "serving"]);
    const number = expect.any(Number);
    const probed = { state: "ok", numbers: { round_trip_ms: number, last_answer_ms_ago: number } };
    expect(subsystems).toEqual({
      event_loop: { state: "ok", numbers: { lag_ms: number } },
      memory: { state: "ok", numbers: { heap_used_bytes: number, heap_limit_bytes: number, resident_bytes: number } },
      connections: { state: "ok", numbers: { open: 1, max: 20, tenants: 1 } },
      broker: probed,
      tenant_directory: probed,
      drain: { state: "ok", numbers: { connections_left: 0 } },
    });
    await client.expect("pong", { case: "ping", value: {} });
  });

  it("given a directory that cannot be read, when it is so, then /ready falls and nobody unknown gets in; when it can again, both are back", async () => {
    await using server = await OpsServer.start({ TENANT_VALIDATION: "directory", DATA_DIR: dataDir });
    await server.ops.createTenant({ tenantId: "acme" });
    await server.ops.createTenant({ tenantId: "globex" });
    await using client = await ProtocolClient.connect(server);
    const ready = async (): Promise<string> => (await server.process.get("/ready")).text();
    expect(await ready()).toBe("Ready");
    using file = new DatabaseSync(join(dataDir, "directory.db"));

    file.exec("ALTER TABLE tenant_changes RENAME TO elsewhere; ALTER TABLE tenants RENAME TO gone");
    await expect.poll(ready, { timeout: 5_000 }).toBe("Not ready");
    const health = await server.process.get("/health");
    expect([health.status, await health.json()]).toMatchObject([
      503,
      { status: "failed", subsystems: { tenant_directory: "failed", broker: "ok" } },
    ]);
    const detailed = await server.get("/health");
    expect([detailed.status, await detailed.json()]).toMatchObject([503, { status: "failed" }]);
    const refused = await upgrade(server.process, { headers: [await bearer({ tenant: "globex" })] });
    expect([refused.status, refusalOf(refused).code, refused.headers.has("retry-after")]).toEqual([
      503,
      "UNAVAILABLE",
      true,
    ]);
    const asked = await server.post("GetTenant", { tenantId: "acme" });
    expect([asked.status, JSON.stringify(asked.body)]).toEqual([500, expect.not.stringContaining("no such table")]);
    await client.expect("pong", { case: "ping", value: {} });

    file.exec("ALTER TABLE gone RENAME TO tenants; ALTER TABLE elsewhere RENAME TO tenant_changes");
    await expect.poll(ready, { timeout: 5_000 }).toBe("Ready");
    await using late = await ProtocolClient.connect(server, { tenant: "globex" });
    await late.expect("pong", { case: "ping", value: {} });
    const events = server.process.lines.filter((line) => line["subsystem"] === "tenant_directory");
    expect(events.map(({ event }) => event)).toEqual(["subsystem_failed", "subsystem_recovered"]);
  });

  it("given a process that leaks, when its heap comes to its limit, then /ready falls before V8 ends it", async () => {
    await using server = await OpsServer.start({}, ["--max-old-space-size=256", `--import=${LEAKING}`]);
    server.process.signal("SIGUSR2");
    const statuses = new Set<number>();
    while (server.process.isRunning && !statuses.has(503)) {
      const answer = await server.process.get("/ready").catch(() => undefined);
      statuses.add(answer?.status ?? 0);
      if (answer?.status === 503)
        expect((await details(server)).subsystems["memory"]).toMatchObject({ state: "failed" });
    }
    expect(statuses).toContain(503);
  });

  it("given an event loop that was blocked, when its health is read, then it says so for some seconds, and is well again", async () => {
    await using server = await OpsServer.start({}, ["--import", BLOCKING]);
    const state = async (): Promise<string | undefined> => (await details(server)).subsystems["event_loop"]?.state;
    expect(await state()).toBe("ok");
    server.process.signal("SIGUSR2");
    await expect.poll(state, { timeout: 3_000 }).toBe("degraded");
    expect((await server.process.get("/ready")).status).toBe(200);
    await expect.poll(state, { timeout: 8_000, interval: 200 }).toBe("ok");
  });

  it("given nearly as many connections as there may be, when the health is read, then it is degraded, and still ready", async () => {
    await using server = await OpsServer.start({ MAX_TOTAL_CONNECTIONS: "2" });
    const clients = await Promise.all([1, 2].map((n) => ProtocolClient.connect(server, { user: `u-${n}` })));
    expect(await details(server)).toMatchObject({
      status: "degraded",
      subsystems: { connections: { state: "degraded" } },
    });
    expect((await server.process.get("/ready")).status).toBe(200);
    await Promise.all(clients.map((client) => client[Symbol.asyncDispose]()));
    await expect.poll(async () => (await details(server)).status).toBe("ok");
  });
});
