import { generateKeyPairSync } from "node:crypto";
import { connect } from "node:net";
import { networkInterfaces } from "node:os";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { ProtocolClient } from "../support/protocol-client.ts";
import { OpsServer } from "./ops-server.ts";

const DEVELOPMENT = { NODE_ENV: "development", JWT_SECRET: undefined };
/** One of this machine that is not its loopback, where it has one. */
const OUTER_ADDRESS = Object.values(networkInterfaces())
  .flatMap((addresses) => addresses ?? [])
  .find(({ internal, family }) => !internal && family === "IPv4")?.address;

let server: OpsServer;

beforeAll(async () => {
  server = await OpsServer.start(DEVELOPMENT);
});
afterAll(async () => server[Symbol.asyncDispose]());

async function token(path: string, headers: Readonly<Record<string, string>> = {}): Promise<Response> {
  return fetch(`http://127.0.0.1:${server.process.port}${path}`, { headers });
}

/** The first line of the answer to a request with exactly these headers. */
async function statusLine(
  headers: readonly string[],
  socket = connect(server.process.port, "127.0.0.1"),
): Promise<string> {
  socket.write(`GET /dev/token?tenant=acme HTTP/1.1\r\n${headers.join("\r\n")}\r\nConnection: close\r\n\r\n`);
  let answer = "";
  for await (const chunk of socket) answer += String(chunk);
  return answer.slice(0, answer.indexOf("\r\n"));
}

describe("development", () => {
  it("given a server in development, when it has started, then it says what a person needs, outside of its log", async () => {
    await expect.poll(() => server.process.stderr).toContain("pmctl publish");
    expect(server.process.stderr).toContain(`ws://127.0.0.1:${server.process.port}/ws`);
    expect(server.process.stderr).toContain(server.opsUrl);
    const [jwt = ""] = /eyJ[\w-]+\.[\w-]+\.[\w-]+/.exec(server.process.stderr) ?? [];
    await using client = await ProtocolClient.connect(server, { token: jwt });
    expect(client.welcome.tenantId).toBe("acme");
    expect(server.process.stdout).not.toContain("eyJ");
  });

  it("given this machine, when it asks for a token, then it gets one that is good", async () => {
    const response = await token("/dev/token?tenant=globex&user=ad%C3%A1");
    expect([response.status, response.headers.get("cache-control")]).toEqual([200, "no-store"]);
    const body = (await response.json()) as { token: string };
    await using client = await ProtocolClient.connect(server, { token: body.token });
    expect([client.welcome.tenantId, client.welcome.userId]).toEqual(["globex", "adá"]);
  });

  it.each([
    ["/dev/token", "tenant_id"],
    ["/dev/token?tenant=a%2Fb", "tenant_id"],
    ["/dev/token?tenant=a&tenant=b", "tenant_id"],
    ["/dev/token?tenant=a&user=", "user"],
    ["/dev/token?tenant=a&user=b&user=c", "user"],
    [`/dev/token?tenant=a&user=${"u".repeat(129)}`, "user"],
    ["/dev/token?tenant=%ff", "tenant_id"],
  ])("given %s, when it is asked for, then it is 400", async (path, field) => {
    const response = await token(path);
    expect([response.status, await response.json()]).toMatchObject([400, { code: "INVALID_MESSAGE", field }]);
  });

  it("given a request from behind a proxy, or to another name, when it asks for a token, then there is nothing", async () => {
    const own = "Host: localhost";
    expect(await statusLine([own])).toBe("HTTP/1.1 200 OK");
    const foreign = [
      ["Host: pm.example.com"],
      [own, "X-Forwarded-For: 10.0.0.1"],
      [own, "Forwarded: for=10.0.0.1"],
      [own, "X-Real-IP: 10.0.0.1"],
      [own, "Via: 1.1 proxy"],
    ];
    expect(await Promise.all(foreign.map((headers) => statusLine(headers)))).toEqual(
      foreign.map(() => "HTTP/1.1 404 Not Found"),
    );
  });

  it.skipIf(OUTER_ADDRESS === undefined)(
    "given a request that comes by another address than the loopback, when it asks for a token, then there is nothing",
    async () => {
      await using everywhere = await OpsServer.start({ ...DEVELOPMENT, BIND_ADDR: "0.0.0.0:0" });
      const outside = connect(everywhere.process.port, OUTER_ADDRESS ?? "");
      expect(await statusLine(["Host: localhost"], outside)).toBe("HTTP/1.1 404 Not Found");
      const inside = connect(everywhere.process.port, "127.0.0.1");
      expect(await statusLine(["Host: localhost"], inside)).toBe("HTTP/1.1 200 OK");
    },
  );

  it("given a server that is not in development, when somebody asks for a token, then there is nothing, and no banner", async () => {
    await using production = await OpsServer.start({ NODE_ENV: "production" });
    const response = await production.process.get("/dev/token?tenant=acme");
    expect([response.status, await response.json()]).toMatchObject([404, { code: "NOT_FOUND" }]);
    expect(production.process.stderr).toBe("");
  });

  it("given a server whose key only verifies, when somebody asks for a token, then there is nothing to sign with", async () => {
    const { publicKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
    const JWT_PUBLIC_KEY = publicKey.export({ type: "spki", format: "pem" }).toString();
    await using verifying = await OpsServer.start({ NODE_ENV: "development", JWT_SECRET: undefined, JWT_PUBLIC_KEY });
    expect((await verifying.process.get("/dev/token?tenant=acme")).status).toBe(404);
    expect(verifying.process.faults.filter((line) => line.includes('"level":"error"'))).toEqual([]);
  });
});
