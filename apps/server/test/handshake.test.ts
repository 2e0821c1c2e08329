import { PUBLIC_ERRORS } from "@pm/proto";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { ProtocolClient } from "./support/protocol-client.ts";
import type { HttpAnswer } from "./support/raw-socket.ts";
import { ServerProcess } from "./support/server-process.ts";
import { sign, claimsFor, tokenFor } from "./support/token.ts";
import { bearer, type HeaderLine, refusalOf, upgrade } from "./support/upgrade.ts";
import { expectUnharmed } from "./support/unharmed.ts";

let server: ServerProcess;

beforeAll(async () => {
  server = await ServerProcess.start();
});

afterAll(async () => {
  await expectUnharmed(server);
  await server[Symbol.asyncDispose]();
});

function offer(...subprotocols: string[]): HeaderLine {
  return ["Sec-WebSocket-Protocol", subprotocols.join(", ")];
}

/** The same token in the header and in the subprotocol list. */
function both(token: string): HeaderLine[] {
  return [["Authorization", `Bearer ${token}`], offer("pm.v1.json", `pm.v1.bearer.${token}`)];
}

async function selected(...offered: string[]): Promise<string | undefined> {
  const answer = await upgrade(server, { headers: [offer(...offered)] });
  expect(answer.status).toBe(101);
  expect(JSON.stringify([...answer.headers])).not.toContain("bearer");
  return answer.headers.get("sec-websocket-protocol");
}

function expectRefusal(answer: HttpAnswer, status: number, code: string): void {
  expect([answer.status, refusalOf(answer).code]).toEqual([status, code]);
  expect(answer.headers.get("content-type")).toMatch(/^application\/json/);
  expect(answer.headers.get("www-authenticate")).toBe(status === 401 ? "Bearer" : undefined);
}

describe("the token of a handshake", () => {
  it("given no token, when an upgrade is asked for, then it is 401 and its error id finds one line of the log", async () => {
    const answer = await upgrade(server);
    expectRefusal(answer, 401, "MISSING_AUTH_HEADER");
    const { message, error_id } = refusalOf(answer);
    expect(message).toBe("A bearer token is required.");
    await expect.poll(() => server.linesOf(error_id)).toHaveLength(1);
  });

  it("given a browser without a token, when it offers only the encoding, then it is 401 too", async () => {
    expectRefusal(await upgrade(server, { headers: [offer("pm.v1.json")] }), 401, "MISSING_AUTH_HEADER");
  });

  it.each([
    ["Basic dTpw", "INVALID_AUTH_SCHEME"],
    ["Digest x", "INVALID_AUTH_SCHEME"],
    ["Bearer a.b.c", "INVALID_TOKEN"],
    ["Bearer garbage", "INVALID_TOKEN"],
  ])(
    "given the header %s, when an upgrade is asked for, then it is 401 %s with the sentence of the table",
    async (value, code) => {
      const answer = await upgrade(server, { headers: [["Authorization", value]] });
      expectRefusal(answer, 401, code);
      expect(refusalOf(answer).message).toBe(PUBLIC_ERRORS[code as keyof typeof PUBLIC_ERRORS].message);
    },
  );

  it("given an expired token in the header, when an upgrade is asked for, then it is 401 TOKEN_EXPIRED", async () => {
    const headers = [await bearer({ expiresInSecs: -60 })];
    const answer = await upgrade(server, { headers });
    expectRefusal(answer, 401, "TOKEN_EXPIRED");
    expect(refusalOf(answer).message).toBe("The token has expired.");
  });

  it.each(["bearer", "BEARER", "Bearer"])(
    "given the scheme written %s, when the token is good, then the upgrade is accepted",
    async (scheme) => {
      const answer = await upgrade(server, { headers: [["Authorization", `${scheme} ${await tokenFor()}`]] });
      expect(answer.status).toBe(101);
    },
  );

  it.each(["token", "access_token", "jwt", "bearer", "auth", "authorization"])(
    "given the query parameter %s, when an upgrade is asked for, then it is 400, whatever else is good",
    async (name) => {
      const token = await tokenFor();
      const path = `/ws?a=1&${name}=${token}`;
      expectRefusal(await upgrade(server, { path }), 400, "INVALID_MESSAGE");
      expectRefusal(await upgrade(server, { path, headers: [await bearer()] }), 400, "INVALID_MESSAGE");
    },
  );

  it("given other query parameters, when the token is in the header, then the upgrade is accepted", async () => {
    expect((await upgrade(server, { path: "/ws?v=1&tokens=2", headers: [await bearer()] })).status).toBe(101);
  });

  it("given two different tokens, when an upgrade is asked for, then it is 400, though both are good", async () => {
    const other = await tokenFor({ user: "other" });
    const headers = [await bearer(), offer("pm.v1.json", `pm.v1.bearer.${other}`)];
    expectRefusal(await upgrade(server, { headers }), 400, "INVALID_MESSAGE");
    const twice = [offer("pm.v1.json", `pm.v1.bearer.${other}`, `pm.v1.bearer.${await tokenFor()}`)];
    expectRefusal(await upgrade(server, { headers: twice }), 400, "INVALID_MESSAGE");
  });

  it("given the same token in both places, when it is bad, then it is refused as one in the header", async () => {
    expect((await upgrade(server, { headers: both(await tokenFor()) })).status).toBe(101);
    expectRefusal(await upgrade(server, { headers: both("a.b.c") }), 401, "INVALID_TOKEN");
  });
});

describe("the subprotocol", () => {
  it("given several, when an upgrade is asked for, then the first known one is selected and the bearer entry never", async () => {
    const token = await tokenFor();
    const entry = `pm.v1.bearer.${token}`;
    expect(await selected(entry, "pm.v2", "pm.v1.json", "pm.v1.proto")).toBe("pm.v1.json");
    expect(await selected("pm.v1.proto", entry, "pm.v1.json")).toBe("pm.v1.proto");
    expect(await selected("graphql-ws", "pm.v1.json", entry)).toBe("pm.v1.json");
  });

  it("given none, when the upgrade is accepted, then none is selected, nothing is compressed, and the encoding is binary", async () => {
    const headers = [
      await bearer(),
      ["Sec-WebSocket-Extensions", "permessage-deflate; client_max_window_bits"],
    ] as const;
    const answer = await upgrade(server, { headers });
    expect(answer.status).toBe(101);
    expect(answer.headers.has("sec-websocket-protocol")).toBe(false);
    expect(answer.headers.has("sec-websocket-extensions")).toBe(false);
    expect(answer.headers.get("sec-websocket-accept")).toBe("s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
  });

  it("given only unknown ones, or only a bearer entry, when an upgrade is asked for, then it is 400", async () => {
    const token = await tokenFor();
    expectRefusal(
      await upgrade(server, { headers: [await bearer(), offer("pm.v2", "graphql-ws")] }),
      400,
      "INVALID_MESSAGE",
    );
    expectRefusal(await upgrade(server, { headers: [offer(`pm.v1.bearer.${token}`)] }), 400, "INVALID_MESSAGE");
    expectRefusal(
      await upgrade(server, { headers: [offer("pm.v2", `pm.v1.bearer.${token}`)] }),
      400,
      "INVALID_MESSAGE",
    );
    expectRefusal(await upgrade(server, { headers: [await bearer(), offer("PM.V1.JSON")] }), 400, "INVALID_MESSAGE");
  });

  it.each(["proto", "json"] as const)(
    "given a bad token in the list of a %s client, when it connects, then it gets an Error alone and 4501",
    async (encoding) => {
      const client = await ProtocolClient.open(server, { encoding, via: "subprotocol", token: "a.b.c" });
      expect(client.subprotocol).toBe(`pm.v1.${encoding}`);
      const error = await client.take("error");
      expect(error).toMatchObject({ code: "INVALID_TOKEN", field: "", retryable: false });
      expect((await client.closed).code).toBe(4501);
      expect(client.messages).toHaveLength(1);
      await expect.poll(() => server.linesOf(error.errorId)).toHaveLength(1);
    },
  );

  it("given an expired token in the list, when it connects, then it gets an Error alone and 4401", async () => {
    const token = await sign({ ...claimsFor({ expiresInSecs: -31 }) });
    const client = await ProtocolClient.open(server, { encoding: "json", via: "subprotocol", token });
    expect(await client.take("error")).toMatchObject({ code: "TOKEN_EXPIRED", retryable: true });
    expect((await client.closed).code).toBe(4401);
    expect(client.messages).toHaveLength(1);
  });
});

describe("requests that are no upgrade of /ws", () => {
  it("given another path, when an upgrade is asked for, then it is 404", async () => {
    for (const path of ["/", "/ws/", "/wss", "/ws/x", "/live", "//ws", "/WS"])
      expect([path, (await upgrade(server, { path, headers: [await bearer()] })).status]).toEqual([path, 404]);
  });

  it("given a request that is no upgrade of version 13, when it comes, then it is a 4xx", async () => {
    const headers = [await bearer()];
    const statuses = [
      (await server.get("/ws")).status,
      (await upgrade(server, { version: "8", headers })).status,
      (await upgrade(server, { method: "POST", headers })).status,
    ];
    for (const status of statuses) expect(Math.floor(status / 100)).toBe(4);
  });
});
