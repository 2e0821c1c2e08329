import { setTimeout as delay } from "node:timers/promises";
import { afterEach, describe, expect, it } from "vitest";
import { ProtocolClient } from "./support/protocol-client.ts";
import { type HttpAnswer, RawSocket } from "./support/raw-socket.ts";
import { ServerProcess } from "./support/server-process.ts";
import { tokenFor } from "./support/token.ts";
import { bearer, refusalOf, upgrade, upgradeRequest } from "./support/upgrade.ts";
import { expectUnharmed } from "./support/unharmed.ts";

/** Handshakes that may be under way at once. */
const UNDER_WAY = 512;

/** A connection that was accepted, and what is still to be sent on it. */
interface Handshake {
  readonly socket: RawSocket;
  readonly request: string;
}

let server: ServerProcess;

afterEach(() => server[Symbol.asyncDispose]());

function attempt(tenant: string): Promise<HttpAnswer> {
  return bearer({ tenant }).then((header) => upgrade(server, { headers: [header] }));
}

function expectLimited(answer: HttpAnswer, status: number, code: string): void {
  expect([answer.status, refusalOf(answer).code]).toEqual([status, code]);
  expect(answer.headers.get("retry-after")).toMatch(/^[1-9]\d*$/);
}

describe("connection limits", () => {
  it("given a tenant with all its connections, when one more comes, then it is 429, other tenants connect, and a place that is freed is given", async () => {
    server = await ServerProcess.start({ MAX_CONNECTIONS_PER_TENANT: "2" });
    await using first = await ProtocolClient.connect(server, { user: "a" });
    await using second = await ProtocolClient.connect(server, { user: "b" });
    expectLimited(await attempt("acme"), 429, "CONNECTION_LIMIT");
    const browser = ["Sec-WebSocket-Protocol", `pm.v1.json, pm.v1.bearer.${await tokenFor()}`] as const;
    expectLimited(await upgrade(server, { headers: [browser] }), 429, "CONNECTION_LIMIT");
    await using other = await ProtocolClient.connect(server, { tenant: "globex" });
    expect(other.welcome.tenantId).toBe("globex");

    first.terminate();
    await expect.poll(async () => (await attempt("acme")).status, { interval: 50 }).toBe(101);
    await second.expect("pong", { case: "ping", value: {} });
  });

  it("given a client that comes back under its session id, when its old connection still stands, then it takes that place", async () => {
    server = await ServerProcess.start({ MAX_CONNECTIONS_PER_TENANT: "2" });
    const hello = { case: "hello", value: { sessionId: "tab-1", sdk: "test/1" } } as const;
    await using old = await ProtocolClient.connect(server, { user: "a" });
    await old.expect("pong", hello);
    await using again = await ProtocolClient.connect(server, { user: "a" });
    expectLimited(await attempt("acme"), 429, "CONNECTION_LIMIT");
    await again.expect("pong", hello);
    await using third = await ProtocolClient.connect(server, { user: "b" });
    await third.expect("pong", hello);
    expectLimited(await attempt("acme"), 429, "CONNECTION_LIMIT");
  });

  it("given clients that keep their old connections under one session id, when they go on, then twice the limit is the end", async () => {
    server = await ServerProcess.start({ MAX_CONNECTIONS_PER_TENANT: "3" });
    const clients: ProtocolClient[] = [];
    for (let n = 0; n < 12 && (await attempt("acme")).status === 101; n += 1) {
      const client = await ProtocolClient.connect(server, { user: "a" });
      await client.expect("pong", { case: "hello", value: { sessionId: "kept" } });
      clients.push(client);
    }
    expect(clients.length).toBeGreaterThan(3);
    expect(clients.length).toBeLessThanOrEqual(7);
    expectLimited(await attempt("acme"), 429, "CONNECTION_LIMIT");
    await Promise.all(clients.map((client) => client.close()));
    await expect.poll(async () => (await attempt("acme")).status, { interval: 50 }).toBe(101);
  });

  it("given connections of one session, when they are as many as the process may have, then one more is refused", async () => {
    server = await ServerProcess.start({ MAX_TOTAL_CONNECTIONS: "3" });
    const clients: ProtocolClient[] = [];
    for (let n = 0; n < 3; n += 1) {
      const client = await ProtocolClient.connect(server, { user: "a" });
      await client.expect("pong", { case: "hello", value: { sessionId: "kept" } });
      clients.push(client);
    }
    expectLimited(await attempt("acme"), 503, "UNAVAILABLE");
    await Promise.all(clients.map((client) => client.close()));
    await expect.poll(async () => (await attempt("acme")).status, { interval: 50 }).toBe(101);
  });

  it("given a process with all its connections, when one more comes, then it is 503 with Retry-After until a place is free", async () => {
    server = await ServerProcess.start({ MAX_TOTAL_CONNECTIONS: "3" });
    const clients = await Promise.all(["a", "b", "c"].map((tenant) => ProtocolClient.connect(server, { tenant })));
    expectLimited(await attempt("d"), 503, "UNAVAILABLE");
    await clients[0]?.close();
    await expect.poll(async () => (await attempt("d")).status, { interval: 50 }).toBe(101);
    await Promise.all(clients.map((client) => client[Symbol.asyncDispose]()));
  });

  it("given a process that may open 200 files, when it is full, then it has lowered its limit, refuses with 503 and answers", async () => {
    server = await ServerProcess.startWith({ openFiles: 200 });
    const warning = server.lines.find(({ event }) => event === "config_warning")?.["warning"];
    expect(warning).toBe("MAX_TOTAL_CONNECTIONS: is 10000, lowered to 150, since this process may open 200 files");
    const request = upgradeRequest(server, { headers: [await bearer()] });
    const sockets: RawSocket[] = [];
    for (let n = 0; n < 150; n += 1) {
      const socket = await RawSocket.open(server);
      socket.write(request);
      expect((await socket.answer()).status).toBe(101);
      sockets.push(socket);
    }
    for (let n = 0; n < 3; n += 1) expectLimited(await attempt("d"), 503, "UNAVAILABLE");
    expect((await server.get("/ready")).status).toBe(200);
    expect((await fetch(`http://127.0.0.1:${server.opsPort}/metrics`)).status).toBe(200);
    for (const socket of sockets) socket.reset();
    await expect.poll(async () => (await attempt("d")).status, { interval: 50 }).toBe(101);
    await expectUnharmed(server);
  });

  it("given a storm of handshakes, when more come at once than may be under way, then the excess is told to come back and the rest connects", async () => {
    server = await ServerProcess.start({ MAX_CONNECTIONS_PER_TENANT: "100000" });
    const handshakes: Handshake[] = [];
    for (let n = 0; n < 2 * UNDER_WAY; n += 1) {
      const socket = await RawSocket.open(server);
      handshakes.push({ socket, request: upgradeRequest(server, { headers: [await bearer({ user: `u-${n}` })] }) });
    }
    // While the server stands still all requests arrive; then it finds them at once.
    server.signal("SIGSTOP");
    for (const { socket, request } of handshakes) socket.write(request);
    await delay(200);
    server.signal("SIGCONT");
    const answers = await Promise.all(handshakes.map(({ socket }) => socket.answer()));

    const refused = answers.filter(({ status }) => status !== 101);
    for (const answer of refused) expectLimited(answer, 503, "UNAVAILABLE");
    expect(refused.length).toBeGreaterThan(0);
    expect(answers.length - refused.length).toBeGreaterThanOrEqual(UNDER_WAY);
    expect((await attempt("acme")).status).toBe(101);
    for (const { socket } of handshakes) socket.reset();
    await expectUnharmed(server);
  });
});
