import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseChannelName, parseTenantId, silentLogger, systemClock } from "@pm/core";
import request from "supertest";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { readConfig } from "../src/config/read-config.ts";
import { withDemoKinds } from "../src/demo-routes.ts";
import { PmServer } from "../src/server.ts";
import { type AppState, createState } from "../src/state.ts";

const MACHINE = { stdoutIsTerminal: false, openFileLimit: undefined };
const TRAFFIC = parseChannelName("traffic:main");
const WHOLE_LOG = { from: 0, direction: "forward", maxCount: 100_000, maxBytes: 2 ** 30 } as const;

describe("the routes of the demo", () => {
  let folder: string;
  let state: AppState;
  let server: PmServer;

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "pm-demo-routes-"));
  });

  afterEach(async () => {
    await server.close();
    rmSync(folder, { recursive: true, force: true });
  });

  async function start(settings: Readonly<Record<string, string>> = {}): Promise<string> {
    const config = readConfig(
      {
        NODE_ENV: "development",
        BIND_ADDR: "127.0.0.1:0",
        OPS_BIND_ADDR: "127.0.0.1:0",
        DATA_DIR: folder,
        JWT_SECRET: "a-secret-of-more-than-thirty-two-bytes",
        ...settings,
      },
      MACHINE,
    );
    state = createState(config, { clock: systemClock, logger: silentLogger });
    server = new PmServer(state);
    await server.start();
    return `http://127.0.0.1:${server.address.port}`;
  }

  async function topOf(tenant: string): Promise<number> {
    const { top } = await state.ws.broker.read({ tenant: parseTenantId(tenant), name: TRAFFIC }, WHOLE_LOG);
    return top.offset;
  }

  it("given its own page when it asks for a pulse then both tenants get one, and it learns where their logs end", async () => {
    const origin = await start();
    await state.ws.publish({ tenant: parseTenantId("globex"), channel: "board:main" }, { event: "x" });
    const answer = await request(origin).post("/demo/pulse").set("Origin", origin).expect(200);
    expect(answer.body).toEqual({ acme: { board: 0, traffic: 1 }, globex: { board: 1, traffic: 1 } });
    expect([await topOf("acme"), await topOf("globex")]).toEqual([1, 1]);
  });

  it("given its own page when it asks for a flood twice then one tenant is flooded once, and the other is not", async () => {
    const origin = await start();
    const startedAtMs = performance.now();
    for (let time = 0; time < 2; time++) {
      const answer = await request(origin).post("/demo/flood?tenant=acme").set("Origin", origin).expect(202);
      expect(answer.body).toEqual({ seconds: 5 });
    }
    await vi.waitFor(async () => expect(await topOf("acme")).toBeGreaterThan(100));
    expect(await topOf("globex")).toBe(0);
    const top = await topOf("acme");
    expect(top).toBeLessThanOrEqual(20 + 2 * (performance.now() - startedAtMs));
  });

  it.each(["initech", "", "acme&tenant=globex"])(
    "given the tenant %j when a flood is asked for then it is refused",
    async (tenant) => {
      const origin = await start();
      const answer = await request(origin).post(`/demo/flood?tenant=${tenant}`).set("Origin", origin).expect(400);
      expect(answer.body).toMatchObject({ code: "INVALID_MESSAGE", field: "tenant" });
    },
  );

  it.each([undefined, "http://evil.example", "null"])(
    "given the origin %s when it asks then it is refused, and nothing is published",
    async (foreign) => {
      const origin = await start();
      for (const path of ["/demo/pulse", "/demo/flood?tenant=acme"]) {
        const asked = request(origin).post(path);
        await (foreign === undefined ? asked : asked.set("Origin", foreign)).expect(403);
      }
      expect([await topOf("acme"), await topOf("globex")]).toEqual([0, 0]);
    },
  );

  it.each([
    ["X-Forwarded-For", "192.0.2.1"],
    ["Host", "evil.example"],
  ])("given the header %s when it names another machine then there is nothing", async (name, value) => {
    const origin = await start();
    await request(origin).post("/demo/pulse").set("Origin", `http://${value}`).set(name, value).expect(404);
    await request(origin).get("/demo/").set(name, value).expect(404);
  });

  it("given a server in production when it is asked then there is nothing", async () => {
    const origin = await start({ NODE_ENV: "production" });
    await request(origin).post("/demo/pulse").set("Origin", origin).expect(404);
    await request(origin).get("/demo/").expect(404);
  });
});

describe("withDemoKinds", () => {
  const defaults = { retainedSecs: 5 };

  it("given a configuration when it has no boards then they are kept for long, and all else is as it was", () => {
    const { kinds, ...rest } = withDemoKinds({ defaults, kinds: { chat: { retainedCount: 3 } } });
    expect(kinds["board"]?.retainedSecs).toBeGreaterThan(86_400);
    expect(kinds["chat"]).toEqual({ retainedCount: 3 });
    expect(rest).toEqual({ defaults });
  });

  it("given a configuration when it has boards then they are as it says", () => {
    const kinds = { board: { retainedCount: 7 } };
    expect(withDemoKinds({ defaults, kinds })).toEqual({ defaults, kinds });
  });
});
