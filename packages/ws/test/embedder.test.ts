import { parseTenantId, SystemRandomness, type TenantId } from "@pm/core";
import { ManualClock, RecordingLogger } from "@pm/core/testing";
import { once } from "node:events";
import { createServer, request, type Server } from "node:http";
import { type AddressInfo, connect } from "node:net";
import { describe, expect, it } from "vitest";
import { WebSocket } from "ws";
import { attach, type Authenticator, MemoryBroker, type WsServerOptions } from "../src/index.ts";
import { MemorySocket } from "./support/memory-socket.ts";
import { nameAuthenticator } from "./support/name-authenticator.ts";
import { SimulatedServer } from "./support/simulated-server.ts";

const TENANT = parseTenantId("t1");

/** An http.Server with pm behind its upgrades. */
async function embedded(options: Partial<WsServerOptions> = {}) {
  const http = createServer((_, response) => response.end("mine"));
  const logger = new RecordingLogger();
  const pm = attach(http, { authenticator: nameAuthenticator, logger, ...options });
  await new Promise<void>((resolve) => http.listen(0, "127.0.0.1", resolve));
  const { port } = http.address() as AddressInfo;
  return {
    http,
    pm,
    logger,
    port,
    async [Symbol.asyncDispose]() {
      await pm.close();
      http.closeAllConnections();
      await new Promise((resolve) => http.close(resolve));
    },
  };
}

/** The status of the answer to an upgrade request: 101 when it was taken. */
async function upgrade(port: number, path: string, protocol = "websocket"): Promise<number | undefined> {
  return new Promise((resolve, reject) => {
    const headers = {
      connection: "Upgrade",
      upgrade: protocol,
      "sec-websocket-version": "13",
      "sec-websocket-key": "dGhlIHNhbXBsZSBub25jZQ==",
      "sec-websocket-protocol": "pm.v1.proto",
      authorization: "Bearer t1.u1",
    };
    const asked = request({ port, host: "127.0.0.1", path, headers, agent: false });
    asked.on("response", (response) => resolve(response.resume().statusCode));
    asked.on("upgrade", (response, socket) => {
      socket.destroy();
      resolve(response.statusCode);
    });
    asked.on("error", reject);
    asked.end();
  });
}

/** Sockets that a server has open. */
async function socketsOf(http: Server): Promise<number> {
  return new Promise((resolve) => http.getConnections((_, count) => resolve(count)));
}

describe("an http.Server of somebody else", () => {
  it.each(["websocket", "h2c"])(
    "given an upgrade to %s of another path, when nobody else listens, then it is 404",
    async (to) => {
      await using at = await embedded();
      expect(await upgrade(at.port, "/other", to)).toBe(404);
    },
  );

  it.each([
    ["/other", 404],
    ["/ws", 401],
  ])(
    "given a client that does not close, when its upgrade of %s is refused with %i, then its socket is gone",
    async (...of) => {
      const [path, status] = of;
      await using at = await embedded();
      const client = connect({ port: at.port, host: "127.0.0.1", allowHalfOpen: true });
      const head = ["Host: a", "Connection: Upgrade", "Upgrade: websocket", "Sec-WebSocket-Version: 13"];
      client.write(`GET ${path} HTTP/1.1\r\n${head.join("\r\n")}\r\n\r\n`);
      const [answer] = (await once(client, "data")) as [Buffer];
      expect(answer.toString()).toContain(`HTTP/1.1 ${status} `);
      await expect.poll(() => socketsOf(at.http)).toBe(0);
      client.destroy();
    },
  );

  it("given a client that resets, when its upgrade is refused, then nobody but its socket notices", async () => {
    await using at = await embedded();
    const [, serverEnd] = MemorySocket.pair();
    at.http.emit("upgrade", { url: "/other", headers: {} }, serverEnd, Buffer.alloc(0));
    serverEnd.destroy(new Error("read ECONNRESET"));
    // `once` of node:events would listen to errors itself.
    await new Promise((resolve) => serverEnd.once("close", resolve));
    expect(await upgrade(at.port, "/ws")).toBe(101);
  });

  it("given somebody else who listens, when an upgrade of another path comes, then it is theirs", async () => {
    await using at = await embedded();
    at.http.on("upgrade", (asked, socket) => {
      if (asked.url === "/theirs") socket.end("HTTP/1.1 418 Teapot\r\nContent-Length: 0\r\n\r\n");
    });
    expect(await upgrade(at.port, "/theirs")).toBe(418);
    expect(await upgrade(at.port, "/ws")).toBe(101);
  });

  it("given a server that was closed, when another is attached on the same path, then that one alone answers", async () => {
    await using at = await embedded();
    await at.pm.close();
    expect(await upgrade(at.port, "/ws")).toBe(404);
    const next = attach(at.http, { authenticator: nameAuthenticator });
    expect(await upgrade(at.port, "/ws")).toBe(101);
    expect(at.pm.connections.size).toBe(0);
    await next.close();
  });

  it("given a handshake under way, when the server is closed, then it is refused with 503", async () => {
    const asked = Promise.withResolvers<void>();
    const authenticate = (): Promise<never> => {
      asked.resolve();
      return new Promise(() => undefined);
    };
    await using at = await embedded({ authenticator: { authenticate } });
    const status = upgrade(at.port, "/ws");
    await asked.promise;
    await at.pm.close();
    expect(await status).toBe(503);
  });

  it("given a token whose verification does not end, when 5 s have passed, then it is 408, and its place is free", async () => {
    const clock = new ManualClock();
    const asked = Promise.withResolvers<void>();
    let verify: Authenticator["authenticate"] = () => {
      asked.resolve();
      return new Promise(() => undefined);
    };
    const authenticator: Authenticator = { authenticate: (token) => verify(token) };
    await using at = await embedded({ authenticator, clock, maxHandshakes: 1 });
    const status = upgrade(at.port, "/ws");
    await asked.promise;
    clock.advance(4750);
    expect(at.logger.lines).toEqual([]);
    expect(await upgrade(at.port, "/ws")).toBe(503);
    clock.advance(500);
    expect(await status).toBe(408);
    expect(at.logger.lines.at(-1)).toMatchObject({
      event: "handshake_refused",
      fields: { status: 408, outcome: "timeout" },
    });
    verify = (token) => nameAuthenticator.authenticate(token);
    expect(await upgrade(at.port, "/ws")).toBe(101);
  });

  it("given a broker that two servers share, when one is closed, then the other goes on", async () => {
    const broker = new MemoryBroker();
    await using one = await embedded({ broker });
    await using two = await embedded({ broker });
    await one.pm.close();
    await expect(two.pm.publish({ tenant: TENANT, channel: "a" }, {})).resolves.toMatchObject({ duplicate: false });
    await broker.close();
  });

  it("given a socket with a high-water mark of its own, when its reader has stalled, then it catches up all the same", async () => {
    const http = createServer({ highWaterMark: 1_048_576 });
    const pm = attach(http, { authenticator: nameAuthenticator });
    await new Promise<void>((resolve) => http.listen(0, "127.0.0.1", resolve));
    const { port } = http.address() as AddressInfo;
    const client = new WebSocket(`ws://127.0.0.1:${port}/ws`, ["pm.v1.proto"], {
      headers: { authorization: "Bearer t1.u1" },
    });
    let received = 0;
    client.on("message", (data: Buffer) => (received += data.length));
    await new Promise((resolve) => client.once("message", resolve));
    await expect.poll(() => pm.broadcaster.channelCount).toBe(1);
    client.pause();
    const payload = new Uint8Array(100_000);
    for (let n = 0; n < 150; n++) await pm.publish({ tenant: TENANT }, { payload });
    const [connection] = pm.connections.find();
    await expect.poll(() => connection?.catchingUp).toBe(1);
    client.resume();
    await expect.poll(() => connection?.catchingUp, { timeout: 10_000 }).toBe(0);
    await expect.poll(() => received, { timeout: 10_000 }).toBeGreaterThan(10 * payload.length);
    client.terminate();
    await pm.close();
    await new Promise((resolve) => http.close(resolve));
  });
});

describe("parts of the embedder that fail", () => {
  it.each([Number.POSITIVE_INFINITY, Number.NaN, undefined])(
    "given an authenticator that gives %s as expiry, when a client comes, then it is 500, and its place is free",
    async (expiresAtMs) => {
      const authenticate = async (token: string) => ({
        ...(await nameAuthenticator.authenticate(token)),
        expiresAtMs: expiresAtMs as number,
      });
      await using at = await embedded({ authenticator: { authenticate }, maxTotalConnections: 1 });
      for (let n = 0; n < 3; n++) expect(await upgrade(at.port, "/ws")).toBe(500);
    },
  );

  it("given an address that cannot be told, when clients come, then they are refused, logged, and hold no place", async () => {
    const addressOf = (): string => {
      throw new Error("bad header");
    };
    await using at = await embedded({ addressOf, maxTotalConnections: 1 });
    for (let n = 0; n < 3; n++) expect(await upgrade(at.port, "/ws")).toBe(500);
    expect(at.logger.lines.map(({ event }) => event)).toEqual(Array(3).fill("handshake_refused"));
    expect(at.logger.lines[0]?.fields).toMatchObject({ tenant_id: "t1", user_id: "u1" });
  });

  it("given a connection that cannot begin behind its handshake, when clients come, then they are cut off, logged, and hold no place", async () => {
    const randomness = new SystemRandomness();
    randomness.uuid = () => {
      throw new Error("no entropy");
    };
    await using at = await embedded({ randomness, maxTotalConnections: 1 });
    for (let n = 0; n < 3; n++) await expect(upgrade(at.port, "/ws")).rejects.toThrow();
    const line = { event: "connection_failed", fields: { tenant_id: "t1", user_id: "u1" } };
    expect(at.logger.lines.filter(({ event }) => event === line.event)).toMatchObject([line, line, line]);
    expect(at.pm.connections.size).toBe(0);
  });
});

describe("a backend", () => {
  it("given a tenant's fan-out over its bound, when a backend publishes, then it resolves when that is relieved", async () => {
    await using simulation = new SimulatedServer({ maxPendingBytesPerTenant: 10_000 });
    const client = simulation.client("t1", "u1");
    await client.connect();
    const { server } = simulation;
    let most = 0;
    for (let n = 0; n < 50; n++) {
      await server.publish({ tenant: TENANT }, { payload: new Uint8Array(4000) });
      most = Math.max(most, server.broadcaster.pendingBytes);
    }
    expect(most).toBeLessThan(10_000);
  });

  it.each([{ tenant: "a/b" }, { tenant: undefined }, { tenant: "t1", user: undefined }, { tenant: "t1", user: "" }])(
    "given %j as target, when a backend publishes, then it is refused, and reaches neither nobody nor everybody",
    async (target) => {
      await using simulation = new SimulatedServer();
      await expect(simulation.server.publish(target as { tenant: TenantId }, {})).rejects.toMatchObject({
        code: expect.stringMatching(/^INVALID_/),
      });
    },
  );

  it("given no tenant, when it disconnects, then that is an error; twice the same counts once", async () => {
    await using simulation = new SimulatedServer();
    await simulation.client("t1", "u1").connect();
    const { server } = simulation;
    expect(() => server.disconnect(undefined as unknown as TenantId)).toThrow();
    expect([server.disconnect(TENANT), server.disconnect(TENANT)]).toEqual([1, 0]);
  });
});
