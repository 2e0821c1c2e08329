import { afterEach, describe, expect, it } from "vitest";
import { ServerProcess } from "./support/server-process.ts";
import { RawSocket } from "./support/raw-socket.ts";
import { bearer, refusalOf, upgrade, upgradeRequest } from "./support/upgrade.ts";
import { tokenFor } from "./support/token.ts";

let server: ServerProcess;

afterEach(() => server[Symbol.asyncDispose]());

async function statusWith(origin: string): Promise<number> {
  return (await upgrade(server, { headers: [await bearer(), ["Origin", origin]] })).status;
}

describe("origins", () => {
  it("given no list, when a page connects, then only its own host and port are let in", async () => {
    server = await ServerProcess.start();
    const own = `${server.host}:${server.port}`;
    expect(await statusWith(`http://${own}`)).toBe(101);
    expect(await statusWith(`https://${own}`)).toBe(101);
    const foreign = [
      "https://evil.example",
      `http://${server.host}`,
      `http://${server.host}:${server.port + 1}`,
      `http://${own}.evil.example`,
      `http://evil.example/?${own}`,
      `http://evil.example#${own}`,
      `http://${own}@evil.example`,
      `http://localhost:${server.port}`,
      "null",
      "file://",
      "garbage",
    ];
    for (const origin of foreign) expect([origin, await statusWith(origin)]).toEqual([origin, 403]);
  });

  it("given the default port of the origin's scheme, when only one of both headers names it, then the page is let in", async () => {
    server = await ServerProcess.start();
    const statusOf = async (host: string, port: number, origin: string): Promise<number> => {
      using socket = await RawSocket.open(server);
      socket.write(upgradeRequest({ host, port }, { headers: [await bearer(), ["Origin", origin]] }));
      return (await socket.answer()).status;
    };
    expect(await statusOf("app.example.com", 443, "https://app.example.com")).toBe(101);
    expect(await statusOf("App.Example.com", 80, "http://app.example.com:80")).toBe(101);
    expect(await statusOf("app.example.com", 80, "https://app.example.com")).toBe(403);
    expect(await statusOf("app.example.com", 443, "http://app.example.com")).toBe(403);
    expect(await statusOf("localhost", 80, "file://")).toBe(403);
  });

  it("given a foreign origin, when it is refused, then the body says so as JSON, also for a token in the subprotocol list", async () => {
    server = await ServerProcess.start();
    const answer = await upgrade(server, { headers: [await bearer(), ["Origin", "https://evil.example"]] });
    expect(answer.status).toBe(403);
    expect(refusalOf(answer).code).toBe("PERMISSION_DENIED");
    const entry = `pm.v1.json, pm.v1.bearer.${await tokenFor()}`;
    const browser = await upgrade(server, {
      headers: [
        ["Sec-WebSocket-Protocol", entry],
        ["Origin", "https://evil.example"],
      ],
    });
    expect([browser.status, refusalOf(browser).code]).toEqual([403, "PERMISSION_DENIED"]);
  });

  it("given ALLOWED_ORIGINS, when a page connects, then scheme, host and port have to be exactly those of an entry", async () => {
    server = await ServerProcess.start({ ALLOWED_ORIGINS: "https://app.example.com, http://localhost:5173" });
    for (const origin of ["https://app.example.com", "http://localhost:5173"])
      expect(await statusWith(origin)).toBe(101);
    const foreign = [
      "http://app.example.com",
      "https://app.example.com:8443",
      "https://app.example.com.evil.example",
      "https://sub.app.example.com",
      "http://localhost",
      `http://${server.host}:${server.port}`,
    ];
    for (const origin of foreign) expect([origin, await statusWith(origin)]).toEqual([origin, 403]);
    expect((await upgrade(server, { headers: [await bearer()] })).status).toBe(101);
  });
});

describe("CORS_ORIGINS", () => {
  async function allowed(origin: string): Promise<string | null> {
    return (await server.get("/health", { origin })).headers.get("access-control-allow-origin");
  }

  it("given none, when a page reads a public route, then nothing allows it", async () => {
    server = await ServerProcess.start();
    const { status, headers } = await server.get("/health", { origin: "https://app.example.com" });
    expect(status).toBe(200);
    expect([...headers.keys()].filter((name) => name.startsWith("access-control"))).toEqual([]);
    expect([headers.get("x-content-type-options"), headers.get("x-powered-by"), headers.get("etag")]).toEqual([
      "nosniff",
      null,
      null,
    ]);
  });

  it("given some, when pages read a public route, then those of the list may", async () => {
    server = await ServerProcess.start({ CORS_ORIGINS: "https://app.example.com, http://localhost:5173" });
    for (const origin of ["https://app.example.com", "http://localhost:5173"])
      expect(await allowed(origin)).toBe(origin);
    for (const origin of ["http://app.example.com", "https://app.example.com.evil.example", "null"]) {
      expect([origin, await allowed(origin)]).toEqual([origin, null]);
    }
  });
});
