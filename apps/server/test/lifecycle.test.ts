import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { type AddressInfo, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { afterEach, describe, expect, it } from "vitest";
import { ProtocolClient, publishOf } from "./support/protocol-client.ts";
import { RawWebSocket } from "./support/raw-web-socket.ts";
import { ServerProcess } from "./support/server-process.ts";
import { bearer, refusalOf, upgrade } from "./support/upgrade.ts";

const SHORT_DRAIN = { DRAIN_GRACE_SECS: "1", DRAIN_WINDOW_SECS: "1", DRAIN_DEADLINE_SECS: "4" };

let started: ServerProcess[] = [];

afterEach(async () => {
  await Promise.all(started.map((server) => server[Symbol.asyncDispose]()));
  started = [];
});

async function start(settings: Record<string, string>): Promise<ServerProcess> {
  const server = await ServerProcess.start(settings);
  started.push(server);
  return server;
}

describe("health", () => {
  it("given a serving process, when its routes are read, then /live is OK, /ready is Ready and /health is JSON without numbers", async () => {
    const server = await start({});
    const live = await server.get("/live");
    expect([live.status, await live.text()]).toEqual([200, "OK"]);
    const ready = await server.get("/ready");
    expect([ready.status, await ready.text()]).toEqual([200, "Ready"]);
    const health = await server.get("/health");
    expect(health.status).toBe(200);
    expect(health.headers.get("content-type")).toMatch(/^application\/json/);
    const text = await health.text();
    expect(JSON.parse(text)).toMatchObject({ status: "ok" });
    for (const subsystem of ["event_loop", "memory", "connections", "broker", "drain"])
      expect(text).toContain(subsystem);
    expect(text).not.toMatch(/\d/);
    expect((await server.get("/metrics")).status).toBe(404);
    expect((await server.get("/elsewhere")).status).toBe(404);
  });
});

describe("SIGTERM", () => {
  it("given a client, when SIGTERM comes, then /ready falls within a second, the client gets GoAway, then 1012, and the exit is 0", async () => {
    const server = await start(SHORT_DRAIN);
    const client = await ProtocolClient.connect(server);
    const signalledMs = performance.now();
    server.signal("SIGTERM");
    await expect.poll(async () => (await server.get("/ready")).status, { timeout: 1_000, interval: 20 }).toBe(503);
    const live = await server.get("/live");
    expect([live.status, await live.text()]).toEqual([200, "OK"]);
    expect(JSON.parse(await (await server.get("/health")).text())).toHaveProperty("status");

    const goAway = await client.take("goAway");
    expect(goAway.reconnectAfterMs).toBeGreaterThanOrEqual(0);
    expect(await client.expect("published", publishOf("late", "1"))).toMatchObject({ duplicate: false });
    const closure = await client.closed;
    expect(closure.code).toBe(1012);
    const exit = await server.exit;
    expect([exit.code, exit.signal]).toEqual([0, null]);
    expect(exit.atMs - signalledMs).toBeLessThan(4_000);
    expect(server.faults).toEqual([]);
  });

  it("given the grace, when somebody connects in it, then they are let in and told to go; after it the listener is closed", async () => {
    const server = await start({ DRAIN_GRACE_SECS: "1", DRAIN_WINDOW_SECS: "2", DRAIN_DEADLINE_SECS: "5" });
    await using early = await ProtocolClient.connect(server);
    server.signal("SIGTERM");
    await expect.poll(async () => (await server.get("/ready")).status, { interval: 20 }).toBe(503);
    await using late = await ProtocolClient.connect(server, { user: "late" });
    await Promise.all([early.take("goAway"), late.take("goAway")]);
    const refused = await upgrade(server, { headers: [await bearer()] }).then(
      (answer) => [answer.status, refusalOf(answer).code, answer.headers.has("retry-after")],
      (error: unknown) => (error as NodeJS.ErrnoException).code,
    );
    expect(refused === "ECONNREFUSED" || JSON.stringify(refused) === '[503,"UNAVAILABLE",true]').toBe(true);
    expect([(await early.closed).code, (await late.closed).code]).toEqual([1012, 1012]);
    expect((await server.exit).code).toBe(0);
  });

  it("given a drain whose grace is over, when the probes are asked on the operations listener, then they still answer", async () => {
    const server = await start({
      DRAIN_GRACE_SECS: "0",
      DRAIN_WINDOW_SECS: "10",
      DRAIN_DEADLINE_SECS: "15",
      OPS_KEY: "key",
    });
    await using client = await ProtocolClient.connect(server);
    server.signal("SIGTERM");
    await client.take("goAway");
    const answers = ["/live", "/ready"].map((path) => fetch(`http://127.0.0.1:${server.opsPort}${path}`));
    expect((await Promise.all(answers)).map(({ status }) => status)).toEqual([200, 503]);
    await expect(server.get("/live")).rejects.toThrow();
  });

  it("given nobody who is connected, when SIGTERM comes, then the process exits at once, without the grace", async () => {
    const server = await start({ DRAIN_GRACE_SECS: "8", DRAIN_WINDOW_SECS: "8", DRAIN_DEADLINE_SECS: "20" });
    const signalledMs = performance.now();
    const exit = await server.stop();
    expect(exit.code).toBe(0);
    expect(exit.atMs - signalledMs).toBeLessThan(2_000);
    expect(server.lines.map(({ event }) => event)).toEqual(
      expect.arrayContaining(["drain_started", "listener_closed", "drain_finished"]),
    );
  });

  it("given clients that leave on GoAway, when the last has left, then the process exits long before its deadline", async () => {
    const server = await start({ DRAIN_GRACE_SECS: "0.5", DRAIN_WINDOW_SECS: "15", DRAIN_DEADLINE_SECS: "18" });
    const clients = await Promise.all([1, 2, 3].map((n) => ProtocolClient.connect(server, { user: `u-${n}` })));
    const signalledMs = performance.now();
    server.signal("SIGTERM");
    await Promise.all(
      clients.map(async (client) => {
        await client.take("goAway");
        expect((await client.close()).code).toBe(1000);
      }),
    );
    const exit = await server.exit;
    expect(exit.code).toBe(0);
    expect(exit.atMs - signalledMs).toBeLessThan(5_000);
  });

  it("given a client that neither reads nor answers, when the deadline comes, then the process exits with 0 without it", async () => {
    const server = await start({ DRAIN_GRACE_SECS: "0", DRAIN_WINDOW_SECS: "0.5", DRAIN_DEADLINE_SECS: "2" });
    using dead = await RawWebSocket.connect(server);
    dead.pause();
    const signalledMs = performance.now();
    const exit = await server.stop();
    expect(exit.code).toBe(0);
    expect(exit.atMs - signalledMs).toBeLessThan(3_500);
  });

  it.each(["SIGTERM", "SIGINT", "SIGHUP"] as const)(
    "given a drain, when %s comes a second time, then the exit is 1 within a second",
    async (signal) => {
      const server = await start({ DRAIN_GRACE_SECS: "5", DRAIN_WINDOW_SECS: "10", DRAIN_DEADLINE_SECS: "20" });
      await using client = await ProtocolClient.connect(server);
      server.signal(signal);
      await expect.poll(async () => (await server.get("/ready")).status, { interval: 20 }).toBe(503);
      const secondMs = performance.now();
      server.signal(signal);
      const exit = await server.exit;
      expect([exit.code, exit.signal]).toEqual([1, null]);
      expect(exit.atMs - secondMs).toBeLessThan(1_000);
      await client.closed;
    },
  );
});

describe("Ctrl-C", () => {
  it.each([
    ["development", true],
    ["production", false],
  ] as const)(
    "given a client in %s, when SIGINT comes, then a person is told how to end it at once: %s",
    async (mode, told) => {
      const server = await start({ ...SHORT_DRAIN, NODE_ENV: mode });
      await using client = await ProtocolClient.connect(server);
      server.signal("SIGINT");
      expect(await client.closed).toMatchObject({ code: 1012 });
      expect((await server.exit).code).toBe(0);
      expect(server.stderr.includes("Ctrl-C again ends it at once")).toBe(told);
    },
  );

  it("given nobody who is connected, when SIGINT comes in development, then there is nothing to tell", async () => {
    const server = await start({ ...SHORT_DRAIN, NODE_ENV: "development" });
    server.signal("SIGINT");
    expect((await server.exit).code).toBe(0);
    expect(server.stderr).not.toContain("Ctrl-C again");
  });
});

describe("starting", () => {
  it("given several mistakes in the settings, when it starts, then all are listed and it exits with 1 before listening", async () => {
    await using server = ServerProcess.launch({
      settings: {
        BIND_ADDR: "nowhere",
        MAX_SUBSCRIPTIONS: "0",
        DRAIN_GRACE_SEC: "1",
        JWKS_URL: "https://keys.example",
      },
    });
    expect((await server.exit).code).toBe(1);
    for (const name of ["BIND_ADDR", "MAX_SUBSCRIPTIONS", "DRAIN_GRACE_SECS", "JWKS_URL"])
      expect(server.stderr).toContain(name);
    expect(server.stderr).not.toMatch(/^\s+at /m);
    expect(server.stdout).not.toContain("server_started");
  });

  it.each([
    ["keys that cannot be fetched", { JWT_SECRET: undefined, JWKS_URL: "http://127.0.0.1:9/keys" }, /^pm: JWKS_URL: /],
    ["a directory that cannot be opened", { TENANT_VALIDATION: "directory" }, /^pm: DATA_DIR \(.+directory\.db\): /],
  ])(
    "given %s, when it starts, then one line begins with the setting, and the exit is 1",
    async (_what, settings, told) => {
      const dataDir = mkdtempSync(join(tmpdir(), "pm-start-"));
      writeFileSync(join(dataDir, "directory.db"), "no database, and long enough to be looked at ".repeat(100));
      await using server = ServerProcess.launch({ settings: { DATA_DIR: dataDir, ...settings } });
      expect((await server.exit).code).toBe(1);
      expect(server.stderr).toMatch(told);
      expect(server.stderr.trimEnd()).not.toContain("\n");
      rmSync(dataDir, { recursive: true });
    },
  );

  it("given a short secret, when it starts, then it warns, and in production refuses", async () => {
    const server = await start({ JWT_SECRET: "test" });
    expect(server.lines.some(({ level, event }) => level === "warn" && event === "config_warning")).toBe(true);
    await using production = ServerProcess.launch({ settings: { JWT_SECRET: "test", NODE_ENV: "production" } });
    expect((await production.exit).code).toBe(1);
    expect(production.stderr).toContain("JWT_SECRET");
    expect(production.stderr).not.toContain('"test"');
  });

  it("given a Node that is too old, when it starts, then it exits with 1 and says which one it needs", async () => {
    const older = 'Object.defineProperty(process, "versions", { value: { ...process.versions, node: "22.15.1" } })';
    await using server = ServerProcess.launch({ nodeFlags: ["--import", `data:text/javascript,${older}`] });
    expect((await server.exit).code).toBe(1);
    const { engines } = JSON.parse(readFileSync(join(import.meta.dirname, "../package.json"), "utf8")) as {
      readonly engines: { readonly node: string };
    };
    expect(server.stderr).toBe(`pm: needs Node ${engines.node.slice(2)} or newer, this is 22.15.1\n`);
  });

  it("given a port that is taken, when it starts, then it exits with 1 and says so in a line", async () => {
    const taken = createServer().listen(0, "127.0.0.1");
    await once(taken, "listening");
    const { port } = taken.address() as AddressInfo;
    await using server = ServerProcess.launch({ settings: { BIND_ADDR: `127.0.0.1:${port}` } });
    const exit = await Promise.race([server.exit, delay(8_000)]);
    taken.close();
    expect(exit?.code).toBe(1);
    expect(server.stderr).toContain(String(port));
    expect(server.stderr.trimEnd().split("\n")).toHaveLength(1);
  });
});
