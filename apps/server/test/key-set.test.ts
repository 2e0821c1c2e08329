import { generateKeyPairSync, type KeyObject } from "node:crypto";
import { once } from "node:events";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { SignJWT } from "jose";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { ServerProcess } from "./support/server-process.ts";
import { claimsFor, tokenFor } from "./support/token.ts";
import { upgrade } from "./support/upgrade.ts";

const KEYS = ["one", "two"].map((kid) => ({ kid, ...generateKeyPairSync("rsa", { modulusLength: 2048 }) }));

let issuer: Server;
let url: string;
/** What the identity provider answers. */
let answer: { readonly status: number; readonly body: string };

beforeAll(async () => {
  issuer = createServer((_request, response) => response.writeHead(answer.status).end(answer.body));
  issuer.listen(0, "127.0.0.1");
  await once(issuer, "listening");
  url = `http://127.0.0.1:${(issuer.address() as AddressInfo).port}/keys`;
});

afterAll(() => issuer.close());

const keySet = (): string =>
  JSON.stringify({
    keys: KEYS.map(({ kid, publicKey }) => ({ ...publicKey.export({ format: "jwk" }), kid, use: "sig" })),
  });

const signed = (kid: string, key: KeyObject): Promise<string> =>
  new SignJWT(claimsFor()).setProtectedHeader({ alg: "RS256", kid }).sign(key);

describe("JWKS_URL", () => {
  it("given a set of keys, when tokens come, then those of its keys are good, the others bad, also when the set is out of reach", async () => {
    answer = { status: 200, body: keySet() };
    await using server = await ServerProcess.start({ JWT_SECRET: undefined, JWKS_URL: url });
    const statusOf = async (token: string): Promise<number> =>
      (await upgrade(server, { headers: [["Authorization", `Bearer ${token}`]] })).status;
    for (const { kid, privateKey } of KEYS) expect(await statusOf(await signed(kid, privateKey))).toBe(101);

    answer = { status: 500, body: "" };
    const [first, second] = KEYS;
    if (first === undefined || second === undefined) throw new Error("there are two keys");
    const forged = [signed("one", second.privateKey), signed("three", first.privateKey), tokenFor()];
    for (const token of await Promise.all(forged)) expect(await statusOf(token)).toBe(401);
    expect(await statusOf(await signed("one", first.privateKey))).toBe(101);
    expect(server.lines.filter(({ event }) => event === "keys_fetched")).toHaveLength(1);
    expect(server.faults).toEqual([]);
  });

  it.each([
    ["fails", 500, ""],
    ["is none", 200, "<html>"],
    ["has no key that can be used", 200, '{"keys":[{"kty":"oct","k":"c2VjcmV0"}]}'],
  ])(
    "given a set that %s, when the server starts, then it exits with 1 and says so in a line",
    async (_what, status, body) => {
      answer = { status, body };
      await using server = ServerProcess.launch({ settings: { JWT_SECRET: undefined, JWKS_URL: url } });
      expect((await server.exit).code).toBe(1);
      expect(server.stderr.trimEnd().split("\n")).toHaveLength(1);
      expect(server.stderr).toMatch(/^pm: .*key/);
      expect(server.lines.map(({ event }) => event)).toEqual(["keys_fetch_failed"]);
    },
  );
});
