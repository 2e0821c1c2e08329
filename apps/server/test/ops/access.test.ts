import { once } from "node:events";
import { request } from "node:http";
import { connect } from "node:http2";
import { connect as connectTcp } from "node:net";
import { Code, ConnectError, createClient } from "@connectrpc/connect";
import { createGrpcTransport } from "@connectrpc/connect-node";
import { OpsService } from "@pm/proto/ops";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { expectUnharmed } from "../support/unharmed.ts";
import { OpsServer } from "./ops-server.ts";

const KEY = "an-operations-key-of-tests";

let open: OpsServer;
let locked: OpsServer;

beforeAll(async () => {
  [open, locked] = await Promise.all([OpsServer.start(), OpsServer.start({ OPS_KEY: KEY })]);
});

afterAll(async () => {
  for (const server of [open, locked]) {
    await expectUnharmed(server.process);
    await server[Symbol.asyncDispose]();
  }
});

/** fetch does not let a Host header through. */
function statusFor(server: OpsServer, path: string, host: string): Promise<number | undefined> {
  return new Promise((resolve, reject) => {
    const asked = request(`${server.opsUrl}${path}`, { headers: { host } }, (response) => {
      response.resume();
      resolve(response.statusCode);
    });
    asked.on("error", reject).end();
  });
}

describe("the key of the operations listener", () => {
  const routes = ["/health", "/connections", "/nowhere"];

  it.each(routes)("given no key, when %s is read, then it is 401 JSON that asks for a bearer", async (path) => {
    const response = await locked.get(path);
    expect([response.status, response.headers.get("www-authenticate")]).toEqual([401, "Bearer"]);
    expect(await response.json()).toEqual({
      code: "MISSING_AUTH_HEADER",
      message: "The key of the operations listener is required.",
    });
  });

  it.each([
    ["another scheme", `Basic ${KEY}`, "INVALID_AUTH_SCHEME"],
    ["no key behind it", "Bearer ", "INVALID_AUTH_SCHEME"],
    ["a wrong key", `Bearer ${KEY}x`, "INVALID_KEY"],
    ["a part of the key", `Bearer ${KEY.slice(0, -1)}`, "INVALID_KEY"],
    ["the key in other letters", `Bearer ${KEY.toUpperCase()}`, "INVALID_KEY"],
    ["two keys", `Bearer ${KEY} ${KEY}`, "INVALID_AUTH_SCHEME"],
  ])("given %s, when something is published, then it is 401, and nothing is", async (_what, authorization, code) => {
    const message = { tenantId: "acme", channel: "locked" };
    const refused = await locked.post("Publish", message, { authorization });
    expect([refused.status, refused.body]).toMatchObject([401, { code }]);
    const { body } = await locked.post(
      "Publish",
      { ...message, idempotencyKey: "first" },
      { authorization: `Bearer ${KEY}` },
    );
    const { position } = body as { position: { offset: string } };
    expect(position.offset).toBe("1");
  });

  it("given the key, when routes are read, then they answer; and metrics need none", async () => {
    const authorization = `bearer ${KEY}`;
    const statuses = routes.map(async (path) => (await locked.get(path, { authorization })).status);
    expect(await Promise.all(statuses)).toEqual([200, 200, 404]);
    expect((await locked.get("/metrics")).status).toBe(200);
    expect((await open.get("/health")).status).toBe(200);
  });

  it("given what only operators may read, when it is read, then nothing keeps it and no page shows it", async () => {
    for (const path of ["/health", "/connections"]) {
      const { headers } = await open.get(path);
      expect([headers.get("cache-control"), headers.get("etag")]).toEqual(["no-store", null]);
      expect([headers.get("x-content-type-options"), headers.get("x-powered-by")]).toEqual(["nosniff", null]);
      expect(headers.get("content-security-policy")).toContain("frame-ancestors");
    }
  });

  it("given a client of gRPC, when it has no key or the right one, then it is refused or answered", async () => {
    const client = createClient(OpsService, createGrpcTransport({ baseUrl: locked.opsUrl }));
    const refused = await client.listConnections({}).catch((error: unknown) => error);
    expect(ConnectError.from(refused).code).toBe(Code.Unauthenticated);
    const logged = { level: "warn", event: "operation_forbidden", code: "MISSING_AUTH_HEADER", address: "127.0.0.1" };
    await expect
      .poll(() => locked.process.lines.find(({ path }) => path === "/pm.v1.OpsService/ListConnections"))
      .toMatchObject(logged);
    const headers = { authorization: `Bearer ${KEY}` };
    expect(await client.listConnections({}, { headers })).toMatchObject({ connections: [], nextCursor: "" });
  });

  it("given refused requests, when the log is read, then they are in it, and no key is", async () => {
    await locked.get("/health", { authorization: `Bearer wrong-${KEY}` });
    await locked.get(`/refused?key=${KEY}`);
    const session = connect(locked.opsUrl);
    const stream = session.request({ ":path": `/refused-over-2?key=${KEY}` });
    await once(stream, "response");
    session.destroy();
    for (const path of ["/health", "/refused", "/refused-over-2"]) {
      await expect
        .poll(() => locked.process.lines.some((line) => line.event === "operation_forbidden" && line["path"] === path))
        .toBe(true);
    }
    expect(locked.process.stdout).not.toContain(KEY);
  });
});

describe("the Host header on a loopback address", () => {
  it.each(["localhost", "127.0.0.1:9", "[::1]:80", "LOCALHOST:3001", "127.9.9.9"])(
    "given %s, when metrics are read, then they are",
    async (host) => {
      expect(await statusFor(open, "/metrics", host)).toBe(200);
    },
  );

  it.each([
    "pm.example.com",
    "localhost.example.com",
    "127.0.0.1.example.com",
    "localhost@example.com",
    "10.0.0.1",
    "[::2]",
  ])("given %j, as after DNS rebinding, when metrics or health are read, then it is 403", async (host) => {
    expect([await statusFor(open, "/metrics", host), await statusFor(open, "/health", host)]).toEqual([403, 403]);
  });

  it("given another authority over HTTP/2, when something is asked, then it is 403", async () => {
    const session = connect(open.opsUrl);
    const stream = session.request({
      ":path": "/pm.v1.OpsService/ListTenants",
      ":method": "POST",
      ":authority": "evil.example",
    });
    stream.end("{}");
    const status = await new Promise((resolve) => stream.once("response", (headers) => resolve(headers[":status"])));
    session.destroy();
    expect(status).toBe(403);
  });

  it("given a page of another origin, when a browser asks whether it may post JSON, then nothing allows it", async () => {
    const response = await fetch(`${open.opsUrl}/pm.v1.OpsService/Publish`, {
      method: "OPTIONS",
      headers: { origin: "https://evil.example", "access-control-request-method": "POST" },
    });
    expect(response.ok).toBe(false);
    expect([...response.headers.keys()].filter((name) => name.startsWith("access-control"))).toEqual([]);
  });

  it.each(["text/plain", "application/x-www-form-urlencoded", ""])(
    "given a body of type %j, which needs no leave of a browser, when it is posted, then it is not taken",
    async (type) => {
      const response = await fetch(`${open.opsUrl}/pm.v1.OpsService/Publish`, {
        method: "POST",
        headers: { "content-type": type },
        body: '{"tenantId":"acme","channel":"a"}',
      });
      expect(response.status).toBe(415);
    },
  );
});

describe("faults on the operations listener", () => {
  const HEAD = [
    "POST /pm.v1.OpsService/Publish HTTP/1.1",
    "Host: localhost",
    "Content-Type: application/json",
    "Content-Length: 100",
  ].join("\r\n");

  it.each([
    ["a letter", "P"],
    ["half of the first line of HTTP/2", "PRI * HT"],
    ["half a body", `${HEAD}\r\n\r\n{`],
    ["nonsense in HTTP/2", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\nnonsense, more than nine bytes of it"],
    ["nonsense", "\0\0\0\0\r\n\r\n"],
  ])(
    "given clients that send %s and reset the connection, when others ask, then they are answered",
    async (_what, text) => {
      for (let n = 0; n < 10; n += 1) {
        const socket = connectTcp(Number(new URL(open.opsUrl).port), "127.0.0.1");
        socket.on("error", () => undefined);
        await new Promise<void>((resolve) => socket.write(text, () => resolve()));
        // The server has read it before it answers the next one.
        expect((await open.post("Publish", { tenantId: "acme", channel: "a" })).status).toBe(200);
        socket.resetAndDestroy();
      }
      expect((await open.get("/health")).status).toBe(200);
      expect(open.process.faults).toEqual([]);
    },
  );

  it.each([
    ["nothing", ""],
    ["the first letters of HTTP/2", "PRI"],
    ["the first line of HTTP/2", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"],
  ])(
    "given a client that sends %s, when five seconds have passed, then its connection is closed",
    async (_what, text) => {
      const silent = connectTcp(Number(new URL(open.opsUrl).port), "127.0.0.1");
      const begunMs = performance.now();
      silent.on("error", () => undefined).resume();
      silent.write(text);
      await new Promise((resolve) => silent.once("close", resolve));
      expect(performance.now() - begunMs).toBeLessThan(8_000);
    },
  );
});
