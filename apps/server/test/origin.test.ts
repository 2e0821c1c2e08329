import { afterEach, describe, expect, it } from "vitest";
import { ServerProcess } from "./support/server-process.ts";
import { bearer, refusalOf, upgrade } from "./support/upgrade.ts";
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
