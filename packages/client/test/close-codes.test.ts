import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { encodeServerElement, type ServerMessageInit } from "@pm/proto";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type WebSocket, WebSocketServer } from "ws";
import { PmClient, systemRandomness, type TokenReason } from "../src/index.ts";
import { whenState } from "./real-client.ts";

/** What the server does with a connection: welcomes it or not, says something, and closes. */
interface Script {
  readonly says?: readonly ServerMessageInit[];
  readonly isWelcome?: boolean;
  /** `cut` ends the connection without a close frame. */
  readonly closes?: number | "cut";
}

function welcomeOf(connectionId: string): ServerMessageInit {
  const times = {
    heartbeatIntervalMs: 25_000,
    heartbeatTimeoutMs: 10_000,
    serverTimeMs: 0n,
    tokenExpiresAtMs: 600_000n,
  };
  return { body: { case: "welcome", value: { connectionId, ...times } } };
}

function hint(retryAfterMs: number): ServerMessageInit {
  return { body: { case: "error", value: { code: "RATE_LIMIT_EXCEEDED", retryAfterMs } } };
}

function goAway(reconnectAfterMs: number): ServerMessageInit {
  return { body: { case: "goAway", value: { reconnectAfterMs } } };
}

describe("close codes over real sockets", () => {
  let server: WebSocketServer;
  let client: PmClient;
  let scripts: Script[];
  let reasons: TokenReason[];
  let openedMs: number[];

  beforeEach(async () => {
    scripts = [];
    reasons = [];
    openedMs = [];
    server = new WebSocketServer({ port: 0, host: "127.0.0.1", handleProtocols: () => "pm.v1.proto" });
    server.on("connection", (socket) => play(socket, scripts.shift() ?? {}));
    await once(server, "listening");
    client = new PmClient({
      url: `ws://127.0.0.1:${(server.address() as AddressInfo).port}/ws`,
      getToken: ({ reason }) => {
        reasons.push(reason);
        return `token-${reasons.length}`;
      },
      // The shortest waits that chance allows.
      random: { ...systemRandomness, fraction: () => 0 },
    });
  });

  afterEach(async () => {
    await client.close();
    for (const socket of server.clients) socket.terminate();
    server.close();
    await once(server, "close");
  });

  function play(socket: WebSocket, { says = [], isWelcome = true, closes }: Script): void {
    openedMs.push(performance.now());
    const frames = isWelcome ? [welcomeOf(`c-${openedMs.length}`), ...says] : says;
    for (const frame of frames) socket.send(encodeServerElement(frame, "proto"));
    // After the client has read what was said.
    if (closes === "cut") socket.once("message", () => socket.terminate());
    else if (closes !== undefined && isWelcome) socket.once("message", () => socket.close(closes));
    else if (closes !== undefined) socket.close(closes);
  }

  /** Waits until the second connection is welcomed; returns the milliseconds between the two. */
  async function reconnected(): Promise<number> {
    await whenState(client, "waiting");
    await whenState(client, "connected");
    return (openedMs[1] ?? 0) - (openedMs[0] ?? 0);
  }

  it.each<[number | "cut", number]>([
    [1001, 0],
    ["cut", 0],
    [1009, 0],
    [1011, 1000],
    [1012, 0],
    [4008, 1000],
    [4009, 1000],
    [4029, 1000],
    [4123, 0],
  ])(
    "given %s, when the server closes with it, then the client is back after at least %d ms",
    async (closes, leastMs) => {
      scripts.push({ closes });
      await client.connect();
      const tookMs = await reconnected();
      expect(tookMs).toBeGreaterThanOrEqual(leastMs - 2);
      expect(tookMs).toBeLessThan(leastMs + 700);
      expect(reasons).toEqual(["connect"]);
    },
  );

  it.each<[number, ServerMessageInit]>([
    [1012, goAway(400)],
    [1013, goAway(400)],
    [1013, hint(400)],
    [4029, hint(400)],
    [4123, hint(400)],
  ])(
    "given %d after a hint, when the server closes with it, then the client is back after the hint",
    async (closes, said) => {
      scripts.push({ closes, says: [said] });
      await client.connect();
      await whenState(client, closes === 1012 || said.body?.case === "goAway" ? "connecting" : "waiting");
      await whenState(client, "connected");
      const tookMs = (openedMs[1] ?? 0) - (openedMs[0] ?? 0);
      expect(tookMs).toBeGreaterThanOrEqual(390);
      expect(tookMs).toBeLessThan(1100);
    },
  );

  it("given 1013 without a hint, when the server closes with it, then the client waits for 5 s at least", async () => {
    scripts.push({ closes: 1013 });
    await client.connect();
    await whenState(client, "waiting");
    expect(client.state).toMatchObject({ kind: "waiting", afterMs: 5000, closeCode: 1013 });
  });

  it.each([1000, 1002, 1003, 1007, 1008, 4500, 4503, 4777])(
    "given %d, when the server closes with it, then the client stops and says so",
    async (closes) => {
      scripts.push({ closes });
      await client.connect();
      await whenState(client, "stopped");
      expect(client.state).toMatchObject({ error: { code: "STOPPED", closeCode: closes } });
      expect(openedMs).toHaveLength(1);
    },
  );

  it("given 4401, when the server closes with it, then the client fetches a token and is back at once", async () => {
    scripts.push({ closes: 4401 });
    await client.connect();
    expect(await reconnected()).toBeLessThan(700);
    expect(reasons).toEqual(["connect", "expired"]);
  });

  it("given 4501 at once, when the next token is taken, then the client is connected; when it is refused too, it stops", async () => {
    const said: ServerMessageInit = { body: { case: "error", value: { code: "INVALID_TOKEN" } } };
    scripts.push({ isWelcome: false, says: [said], closes: 4501 });
    await client.connect();
    expect(reasons).toEqual(["connect", "refused"]);
    await client.close();
    const refused: Script = { isWelcome: false, says: [said], closes: 4501 };
    scripts.push(refused, refused);
    await expect(client.connect()).rejects.toMatchObject({ code: "INVALID_TOKEN", closeCode: 4501 });
    expect(openedMs).toHaveLength(4);
  });

  it("given TENANT_SUSPENDED and 4503 instead of a welcome, when the client connects, then connect rejects with it", async () => {
    const said: ServerMessageInit = { body: { case: "error", value: { code: "TENANT_SUSPENDED" } } };
    scripts.push({ isWelcome: false, says: [said], closes: 4503 });
    await expect(client.connect()).rejects.toMatchObject({ code: "TENANT_SUSPENDED", closeCode: 4503 });
  });
});
