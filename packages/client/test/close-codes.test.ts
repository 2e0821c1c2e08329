import type { ServerMessageInit } from "@pm/proto";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { PmClient, systemRandomness, type TokenReason } from "../src/index.ts";
import { type ClosingScript, ClosingServer, errorHint, goAwayHint } from "./closing-server.ts";
import { whenState } from "./real-client.ts";

describe("close codes over real sockets", () => {
  let server: ClosingServer;
  let client: PmClient;
  let reasons: TokenReason[];

  beforeEach(async () => {
    reasons = [];
    server = await ClosingServer.start();
    client = new PmClient({
      url: server.url,
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
    await server[Symbol.asyncDispose]();
  });

  /** Waits until the second connection is welcomed; returns the milliseconds between the two. */
  async function reconnected(): Promise<number> {
    await whenState(client, "connected");
    return (server.openedMs[1] ?? 0) - (server.openedMs[0] ?? 0);
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
      server.scripts.push({ closes });
      await client.connect();
      await whenState(client, "waiting");
      expect(client.state).toMatchObject({ afterMs: leastMs });
      expect(await reconnected()).toBeGreaterThanOrEqual(leastMs - 2);
      expect(reasons).toEqual(["connect"]);
    },
  );

  it.each<[number, ServerMessageInit]>([
    [1012, goAwayHint(400)],
    [1013, goAwayHint(400)],
    [1013, errorHint(400)],
    [4029, errorHint(400)],
    [4123, errorHint(400)],
  ])(
    "given %d after a hint, when the server closes with it, then the client is back after the hint",
    async (closes, said) => {
      server.scripts.push({ closes, says: [said] });
      await client.connect();
      await whenState(client, closes === 1012 || said.body?.case === "goAway" ? "connecting" : "waiting");
      await whenState(client, "connected");
      const tookMs = (server.openedMs[1] ?? 0) - (server.openedMs[0] ?? 0);
      expect(tookMs).toBeGreaterThanOrEqual(390);
      // Without the hint, 1013 waits for 5 s.
      expect(tookMs).toBeLessThan(4500);
    },
  );

  it("given 1013 without a hint, when the server closes with it, then the client waits for 5 s at least", async () => {
    server.scripts.push({ closes: 1013 });
    await client.connect();
    await whenState(client, "waiting");
    expect(client.state).toMatchObject({ kind: "waiting", afterMs: 5000, closeCode: 1013 });
  });

  it.each([1000, 1002, 1003, 1007, 1008, 4500, 4503, 4777])(
    "given %d, when the server closes with it, then the client stops and says so",
    async (closes) => {
      server.scripts.push({ closes });
      await client.connect();
      await whenState(client, "stopped");
      expect(client.state).toMatchObject({ error: { code: "STOPPED", closeCode: closes } });
      expect(server.openedMs).toHaveLength(1);
    },
  );

  it("given 4401, when the server closes with it, then the client fetches a token and is back at once", async () => {
    server.scripts.push({ closes: 4401 });
    await client.connect();
    await whenState(client, "waiting");
    expect(client.state).toMatchObject({ afterMs: 0 });
    await reconnected();
    expect(reasons).toEqual(["connect", "expired"]);
  });

  it("given 4501 at once, when the next token is taken, then the client is connected; when it is refused too, it stops", async () => {
    const said: ServerMessageInit = { body: { case: "error", value: { code: "INVALID_TOKEN" } } };
    server.scripts.push({ isWelcome: false, says: [said], closes: 4501 });
    await client.connect();
    expect(reasons).toEqual(["connect", "refused"]);
    await client.close();
    const refused: ClosingScript = { isWelcome: false, says: [said], closes: 4501 };
    server.scripts.push(refused, refused);
    await expect(client.connect()).rejects.toMatchObject({ code: "INVALID_TOKEN", closeCode: 4501 });
    expect(server.openedMs).toHaveLength(4);
  });

  it("given TENANT_SUSPENDED and 4503 instead of a welcome, when the client connects, then connect rejects with it", async () => {
    const said: ServerMessageInit = { body: { case: "error", value: { code: "TENANT_SUSPENDED" } } };
    server.scripts.push({ isWelcome: false, says: [said], closes: 4503 });
    await expect(client.connect()).rejects.toMatchObject({ code: "TENANT_SUSPENDED", closeCode: 4503 });
  });
});
