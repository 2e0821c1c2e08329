import { setTimeout as delay } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { ProtocolClient } from "./support/protocol-client.ts";
import { Opcode, RawWebSocket } from "./support/raw-web-socket.ts";
import { ServerProcess } from "./support/server-process.ts";
import { expectUnharmed } from "./support/unharmed.ts";

let server: ServerProcess;

beforeAll(async () => {
  server = await ServerProcess.start({ HEARTBEAT_INTERVAL_SECS: "1", HEARTBEAT_TIMEOUT_SECS: "1" });
});

afterAll(async () => {
  await expectUnharmed(server);
  await server[Symbol.asyncDispose]();
});

describe.concurrent("the heartbeat", () => {
  it("given a client that never answers, when interval and timeout have passed, then it is closed with 4009", async () => {
    using client = await RawWebSocket.connect(server);
    const startMs = performance.now();
    const { code, atMs } = await client.closure(8_000);
    expect(code).toBe(4009);
    expect(client.count(Opcode.ping)).toBeGreaterThanOrEqual(1);
    expect(atMs - startMs).toBeGreaterThan(900);
    expect(atMs - startMs).toBeLessThan(4_000);
  });

  it("given a client whose library answers pings, when many have passed, then it lives", async () => {
    await using client = await ProtocolClient.connect(server);
    await delay(5_000);
    await client.expect("pong", { case: "ping", value: {} });
  });

  it("given a client that cannot answer pings, when it sends Ping instead, then it lives", async () => {
    await using client = await ProtocolClient.connect(server, { autoPong: false });
    for (let n = 0; n < 8; n += 1) {
      await delay(600);
      await client.expect("pong", { case: "ping", value: {} });
    }
  });

  it("given Ping with id 0, when it comes, then it is a sign of life without an answer", async () => {
    await using client = await ProtocolClient.connect(server, { autoPong: false, encoding: "json" });
    for (let n = 0; n < 6; n += 1) {
      await delay(600);
      client.sendRaw('{"messages":[{"ping":{}}]}');
    }
    await client.expect("pong", { case: "ping", value: {} });
    expect(client.received("pong")).toHaveLength(1);
  });

  it("given a client that stops answering later, when it does, then it is closed with 4009", async () => {
    await using client = await ProtocolClient.connect(server, { autoPong: false });
    await delay(700);
    await client.expect("pong", { case: "ping", value: {} });
    const silentMs = performance.now();
    const { code, atMs } = await client.closed;
    expect(code).toBe(4009);
    expect(atMs - silentMs).toBeLessThan(4_500);
  });
});

describe.concurrent("settings of the heartbeat", () => {
  it("given a timeout longer than the interval, when a client never answers, then it is closed after one of both", async () => {
    await using patient = await ServerProcess.start({ HEARTBEAT_INTERVAL_SECS: "1", HEARTBEAT_TIMEOUT_SECS: "3" });
    using client = await RawWebSocket.connect(patient);
    const startMs = performance.now();
    const { code, atMs } = await client.closure(9_000);
    expect(code).toBe(4009);
    expect(client.count(Opcode.ping)).toBeGreaterThanOrEqual(2);
    expect(atMs - startMs).toBeGreaterThan(2_900);
    expect(atMs - startMs).toBeLessThan(7_000);
  });

  it("given many clients that are idle from the start, when nobody has been pinged yet, then none is closed", async () => {
    await using slow = await ServerProcess.start({ HEARTBEAT_INTERVAL_SECS: "5", HEARTBEAT_TIMEOUT_SECS: "2" });
    const clients = await Promise.all(
      Array.from({ length: 50 }, (_, n) => ProtocolClient.connect(slow, { user: `idle-${n}` })),
    );
    await delay(4_000);
    for (const client of clients) await client.expect("pong", { case: "ping", value: {} });
    await delay(4_000);
    for (const client of clients) await client.expect("pong", { case: "ping", value: {} });
    await Promise.all(clients.map((client) => client.close()));
  });
});

describe("a stalled event loop", () => {
  it("given a server that is stopped for longer than the timeout, when it goes on, then healthy clients are kept", async () => {
    const clients = await Promise.all(
      [1, 2, 3, 4].map((n) => ProtocolClient.connect(server, { user: `stalled-${n}` })),
    );
    await delay(1_500);
    process.kill(server.pid, "SIGSTOP");
    await delay(4_000);
    process.kill(server.pid, "SIGCONT");
    await delay(3_000);
    for (const client of clients) await client.expect("pong", { case: "ping", value: {} });
    await Promise.all(clients.map((client) => client.close()));
  });
});
