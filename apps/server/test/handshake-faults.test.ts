import { setTimeout as delay } from "node:timers/promises";
import { encodeClientFrame, ClientMessageSchema } from "@pm/proto";
import { create } from "@bufbuild/protobuf";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { RawSocket } from "./support/raw-socket.ts";
import { frameBytes, Opcode, RawWebSocket } from "./support/raw-web-socket.ts";
import { ServerProcess } from "./support/server-process.ts";
import { bearer, upgrade, upgradeRequest } from "./support/upgrade.ts";
import { expectUnharmed } from "./support/unharmed.ts";

let server: ServerProcess;

beforeAll(async () => {
  server = await ServerProcess.start({ RATE_LIMIT_REQUESTS: "100000" });
});

afterAll(async () => {
  await expectUnharmed(server);
  await server[Symbol.asyncDispose]();
});

/** Milliseconds until the server ends a connection on which `bytes` were sent and nothing more. */
async function lifetimeAfter(bytes: string): Promise<number> {
  using socket = await RawSocket.open(server);
  const startMs = performance.now();
  socket.write(bytes);
  const closedAtMs = await Promise.race([socket.closed, delay(12_000, Number.POSITIVE_INFINITY)]);
  return closedAtMs - startMs;
}

describe.concurrent("a handshake that stalls", () => {
  it("given a connection on which nothing is sent, when 5 s have passed, then it is closed", async () => {
    expect(await lifetimeAfter("")).toBeLessThan(8_000);
  });

  it("given half a request line, when 5 s have passed, then it is closed", async () => {
    expect(await lifetimeAfter("GET /w")).toBeLessThan(8_000);
  });

  it("given half the headers of an upgrade, when 5 s have passed, then it is closed", async () => {
    expect(await lifetimeAfter(upgradeRequest(server).slice(0, -2))).toBeLessThan(8_000);
  });

  it("given a body that is never sent, when 5 s have passed, then it is closed", async () => {
    expect(await lifetimeAfter("POST /live HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n")).toBeLessThan(8_000);
  });

  it("given headers that come a byte at a time, when 5 s have passed, then it is closed all the same", async () => {
    using socket = await RawSocket.open(server);
    const startMs = performance.now();
    const request = `${upgradeRequest(server).slice(0, -2)}X-Slow: ${"x".repeat(1_000)}`;
    for (let n = 0; !socket.isClosed && performance.now() - startMs < 12_000; n += 1) {
      socket.write(request[n] ?? "x");
      await delay(20);
    }
    expect((await socket.closed) - startMs).toBeLessThan(8_000);
  });

  it("given an accepted connection, when it says nothing for longer than a handshake may take, then it stays", async () => {
    using client = await RawWebSocket.connect(server);
    await delay(7_000);
    expect(client.closeCode).toBeUndefined();
    const frame = encodeClientFrame(
      [create(ClientMessageSchema, { id: 1, body: { case: "ping", value: {} } })],
      "proto",
    );
    client.send({ opcode: Opcode.binary, payload: frame });
    await client.until(() => client.messages.some(({ body }) => body.case === "pong"), "Pong");
  });
});

describe("a handshake that is cut", () => {
  it("given an upgrade, when the client resets at every step of it, then the server lives on", async () => {
    const request = upgradeRequest(server, { headers: [await bearer({ user: "cut" })] });
    for (const length of [
      0,
      1,
      10,
      request.indexOf("\r\n") + 2,
      request.length - 2,
      request.length - 1,
      request.length,
    ]) {
      for (const waitMs of [0, 1, 20]) {
        using socket = await RawSocket.open(server);
        socket.write(request.slice(0, length));
        if (waitMs > 0) await delay(waitMs);
        socket.reset();
      }
    }
    await expectUnharmed(server);
  });

  it("given connections that were just accepted, when they are reset, then the server lives on", async () => {
    for (let n = 0; n < 20; n += 1) {
      const client = await RawWebSocket.connect(server, { user: `reset-${n}` });
      if (n % 2 === 0) client.send({ opcode: Opcode.binary, payload: "half a frame", declaredLength: 1_000 });
      client.reset();
    }
    await expectUnharmed(server);
  });

  it("given a command in the packet of the request, when the upgrade is accepted, then it is carried out after Welcome", async () => {
    const ping = encodeClientFrame(
      [create(ClientMessageSchema, { id: 7, body: { case: "ping", value: {} } })],
      "proto",
    );
    using client = await RawWebSocket.connect(server, { early: frameBytes({ opcode: Opcode.binary, payload: ping }) });
    await client.until(() => client.messages.some(({ replyTo }) => replyTo === 7), "reply");
    expect(client.messages[0]?.body.case).toBe("welcome");
  });

  it("given bytes that are no HTTP, when they come, then the server ends the connection and lives on", async () => {
    for (const bytes of [
      "\u0000\u0001\u0002\r\n\r\n",
      "GET /ws HTTP/9.9\r\n\r\n",
      "\u0016\u0003\u0001\u0002\u0000\u0001\u0000\u0001\u00fc\u0003\u0003",
      "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    ]) {
      using socket = await RawSocket.open(server);
      socket.write(Buffer.from(bytes, "latin1"));
      await expect.poll(() => socket.isClosed, { timeout: 7_000 }).toBe(true);
    }
  });
});

async function statusPadded(bytes: number): Promise<number> {
  return (await upgrade(server, { headers: [await bearer(), ["X-Padding", "x".repeat(bytes)]] })).status;
}

describe("headers", () => {
  it("given headers over 16 KiB in all, when they come, then it is 431; just below, the upgrade is accepted", async () => {
    expect(await statusPadded(15_000)).toBe(101);
    expect(await statusPadded(16_384)).toBe(431);
    expect(await statusPadded(1_000_000)).toBe(431);
  });

  it("given thousands of short headers, when they come, then the request is refused or accepted, and nothing else happens", async () => {
    const many = Array.from({ length: 3_000 }, (_, n) => [`X${n}`, "1"] as const);
    const { status } = await upgrade(server, { headers: [await bearer(), ...many] });
    expect(status).toBe(431);
  });

  it("given an upgrade without Sec-WebSocket-Key, or with a bad one, when it comes, then it is a 4xx", async () => {
    const request = upgradeRequest(server, { headers: [await bearer()] });
    for (const bad of [
      request.replace(/Sec-WebSocket-Key: .*\r\n/, ""),
      request.replace("dGhlIHNhbXBsZSBub25jZQ==", "short"),
    ]) {
      using socket = await RawSocket.open(server);
      socket.write(bad);
      expect(Math.floor((await socket.answer()).status / 100)).toBe(4);
    }
  });
});
