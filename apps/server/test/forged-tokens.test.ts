import { createHmac, createPublicKey, generateKeyPairSync, type KeyObject } from "node:crypto";
import { SignJWT } from "jose";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { ProtocolClient } from "./support/protocol-client.ts";
import { ServerProcess } from "./support/server-process.ts";
import { claimsFor, nowSecs, SECRET, sign, tokenFor } from "./support/token.ts";
import { refusalOf, upgrade } from "./support/upgrade.ts";
import { expectUnharmed } from "./support/unharmed.ts";

const RSA = generateKeyPairSync("rsa", { modulusLength: 2048 });
const PEM = RSA.publicKey.export({ type: "spki", format: "pem" }).toString();

let server: ServerProcess;

beforeAll(async () => {
  server = await ServerProcess.start();
});

afterAll(async () => {
  await expectUnharmed(server);
  await server[Symbol.asyncDispose]();
});

const encode = (value: unknown): string =>
  Buffer.from(typeof value === "string" ? value : JSON.stringify(value)).toString("base64url");

/** A token of any header and any claims, with a good signature for the secret of the server. */
function forge(header: unknown, claims: unknown, secret: string = SECRET, hash = "sha256"): string {
  const signed = `${encode(header)}.${encode(claims)}`;
  return `${signed}.${createHmac(hash, secret).update(signed).digest("base64url")}`;
}

const HS256 = { alg: "HS256", typ: "JWT" };
const without = (claim: string): object =>
  Object.fromEntries(Object.entries(claimsFor()).filter(([name]) => name !== claim));
const claims = (changes: object): object => ({ ...claimsFor(), ...changes });
const rs256 = (key: KeyObject): Promise<string> =>
  new SignJWT(claimsFor()).setProtectedHeader({ alg: "RS256" }).sign(key);

/** The last character of base64url carries bits that are not part of the bytes: another one can mean the same. */
function alteredEnding(token: string): string {
  const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
  const last = alphabet.indexOf(token.at(-1) ?? "");
  return token.slice(0, -1) + (alphabet[last ^ 1] ?? "");
}

const FORGED: [name: string, make: () => string | Promise<string>][] = [
  ["alg none without a signature", () => `${encode({ alg: "none" })}.${encode(claimsFor())}.`],
  ["alg none with a signature", () => forge({ alg: "none" }, claimsFor())],
  ["alg nOnE", () => `${encode({ alg: "nOnE" })}.${encode(claimsFor())}.`],
  ["no alg", () => forge({ typ: "JWT" }, claimsFor())],
  ["alg as a list", () => forge({ alg: ["HS256"] }, claimsFor())],
  ["alg in lower case", () => forge({ alg: "hs256" }, claimsFor())],
  ["HS512 with the same secret", () => forge({ alg: "HS512" }, claimsFor(), SECRET, "sha512")],
  ["RS256 by a key of its own", () => rs256(RSA.privateKey)],
  ["another secret", () => sign(claimsFor(), "another secret, long enough: 0123456789")],
  ["the empty secret", () => forge(HS256, claimsFor(), "")],
  ["an embedded key", () => forge({ ...HS256, jwk: { kty: "oct", k: encode("own") } }, claimsFor(), "own")],
  [
    "a key from a URL",
    () => forge({ ...HS256, jku: "http://127.0.0.1:1/keys", x5u: "http://127.0.0.1:1/" }, claimsFor(), "own"),
  ],
  ["an unknown crit", () => forge({ ...HS256, crit: ["x-unknown"], "x-unknown": true }, claimsFor())],
  ["an empty crit", () => forge({ ...HS256, crit: [] }, claimsFor())],
  ["b64 false", () => forge({ ...HS256, crit: ["b64"], b64: false }, claimsFor())],
  ["a signature cut off", async () => (await tokenFor()).replace(/\.[^.]*$/, ".")],
  ["a signature cut short", async () => (await tokenFor()).slice(0, -4)],
  [
    "claims of another token",
    async () => {
      const [header, , signature] = (await tokenFor()).split(".");
      return `${header}.${encode(claims({ sub: "admin" }))}.${signature}`;
    },
  ],
  ["an altered base64 ending", async () => alteredEnding(await tokenFor())],
  ["base64 padding", async () => `${await tokenFor()}=`],
  ["two parts", async () => (await tokenFor()).split(".").slice(0, 2).join(".")],
  ["four parts", async () => `${await tokenFor()}.x`],
  ["five parts, as of JWE", () => `${encode({ alg: "dir", enc: "A256GCM" })}..a.b.c`],
  ["claims that are no JSON", () => forge(HS256, "{")],
  ["claims that are a list", () => forge(HS256, [])],
  ["claims that are null", () => forge(HS256, null)],
  ["claims twice", () => forge(HS256, JSON.stringify(claimsFor()).replace("{", '{"tenant_id":"globex",'))],
  ["no exp", () => forge(HS256, without("exp"))],
  ["exp as text", () => forge(HS256, claims({ exp: String(nowSecs() + 600) }))],
  ["exp beyond all time", () => forge(HS256, JSON.stringify(claims({ exp: 1 })).replace('"exp":1', '"exp":1e308'))],
  ["exp infinite", () => forge(HS256, JSON.stringify(claims({ exp: 1 })).replace('"exp":1', '"exp":1e999'))],
  ["exp null", () => forge(HS256, claims({ exp: null }))],
  ["no iat", () => forge(HS256, without("iat"))],
  ["iat in the future", () => forge(HS256, claims({ iat: nowSecs() + 300 }))],
  ["iat as text", () => forge(HS256, claims({ iat: "0" }))],
  ["nbf in the future", () => forge(HS256, claims({ nbf: nowSecs() + 300 }))],
  ["nbf as text", () => forge(HS256, claims({ nbf: "0" }))],
  ["no sub", () => forge(HS256, without("sub"))],
  ["an empty sub", () => forge(HS256, claims({ sub: "" }))],
  ["sub as a number", () => forge(HS256, claims({ sub: 42 }))],
  ["sub of 129 bytes", () => forge(HS256, claims({ sub: "é".repeat(64) + "a" }))],
  ["no tenant_id", () => forge(HS256, without("tenant_id"))],
  ["tenant_id as a list", () => forge(HS256, claims({ tenant_id: ["acme"] }))],
  ["tenant_id as an object", () => forge(HS256, claims({ tenant_id: { toString: "acme" } }))],
  ...[
    "",
    "../acme",
    "a:b",
    "a*",
    "{acme}",
    "acme\u0000",
    ".acme",
    "ａｃｍｅ",
    "ácme",
    "a b",
    "a".repeat(129),
    "a/b",
  ].map((tenant): [string, () => string] => [
    `tenant_id ${JSON.stringify(tenant).slice(0, 20)}`,
    () => forge(HS256, claims({ tenant_id: tenant })),
  ]),
  [
    "tenant_id with half a surrogate pair",
    () => forge(HS256, JSON.stringify(claimsFor()).replace('"acme"', '"a\\ud800"')),
  ],
  ["roles as text", () => forge(HS256, claims({ roles: "admin" }))],
  ["roles of numbers", () => forge(HS256, claims({ roles: [1] }))],
  ["channels as text", () => forge(HS256, claims({ channels: "*" }))],
  ["channels without a pattern", () => forge(HS256, claims({ channels: [{ allow: ["publish"] }] }))],
  [
    "channels that allow what does not exist",
    () => forge(HS256, claims({ channels: [{ pattern: "*", allow: ["fly"] }] })),
  ],
  ["jti of 257 bytes", () => forge(HS256, claims({ jti: "j".repeat(257) }))],
  ["more than 8192 characters", () => forge(HS256, claims({ padding: "p".repeat(6_200) }))],
];

describe.each(FORGED)("a token with %s", (_name, make) => {
  it("given it in the header, when it is shown, then the public answer is that of any bad token and the log says why", async () => {
    const token = await make();
    const answer = await upgrade(server, { headers: [["Authorization", `Bearer ${token}`]] });
    const { code, message, error_id } = refusalOf(answer);
    expect([answer.status, code, message]).toEqual([401, "INVALID_TOKEN", "The token is not valid."]);
    expect(answer.headers.get("www-authenticate")).toBe("Bearer");

    await expect.poll(() => server.linesOf(error_id)).toHaveLength(1);
    const line = JSON.stringify(server.linesOf(error_id)[0]);
    const reason = (server.linesOf(error_id)[0]?.["error"] as { message?: string } | undefined)?.message ?? "";
    expect(reason).not.toBe("");
    expect(reason).not.toBe(message);
    for (const part of token.split(".").filter(({ length }) => length >= 8))
      expect(line).not.toContain(part.slice(0, 40));
  });
});

describe("refusals of tokens", () => {
  it("given every forged token in the subprotocol list, when it is shown, then Error INVALID_TOKEN without a field, and 4501", async () => {
    for (const [name, make] of FORGED) {
      const token = await make();
      if (token.includes("=")) continue; // no token of HTTP, so no subprotocol can hold it
      const client = await ProtocolClient.open(server, { via: "subprotocol", token });
      const { code } = await client.closed;
      const [error] = client.received("error");
      expect([name, code, error?.code, error?.field, client.messages.length]).toEqual([
        name,
        4501,
        "INVALID_TOKEN",
        "",
        1,
      ]);
    }
  });

  it("given refusals for different reasons, when their answers are compared, then only the error id differs", async () => {
    const answers = await Promise.all(
      FORGED.slice(0, 30).map(async ([, make]) => {
        const { status, headers, body } = await upgrade(server, {
          headers: [["Authorization", `Bearer ${await make()}`]],
        });
        return JSON.stringify([status, [...headers], body.replace(/"error_id":"[^"]*"/, "")]);
      }),
    );
    expect(new Set(answers).size).toBe(1);
  });

  it("given times within the leeway of 30 s, when a token is shown, then it is good", async () => {
    const lenient = [{ iat: nowSecs() + 20 }, { nbf: nowSecs() + 20 }, { exp: nowSecs() - 15 }];
    for (const changes of lenient) {
      const answer = await upgrade(server, { headers: [["Authorization", `Bearer ${forge(HS256, claims(changes))}`]] });
      expect([changes, answer.status]).toEqual([changes, 101]);
    }
  });

  it("given good tokens of unusual users, when they are shown, then they are let in as they are", async () => {
    for (const user of ["é".repeat(64), "a:b*{}", "‮", " "]) {
      await using client = await ProtocolClient.connect(server, { user });
      expect(client.welcome.userId).toBe(user);
    }
  });
});

describe("a server with an RS256 key", () => {
  it("given its public key used as an HMAC secret, when such a token is shown, then it is a bad token; a real one is good", async () => {
    await using withKey = await ServerProcess.start({
      JWT_SECRET: undefined,
      JWT_PUBLIC_KEY: PEM.replaceAll("\n", "\\n"),
    });
    const present = (token: string): ReturnType<typeof upgrade> =>
      upgrade(withKey, { headers: [["Authorization", `Bearer ${token}`]] });
    const der = createPublicKey(PEM).export({ type: "spki", format: "der" }).toString("latin1");
    for (const secret of [PEM, PEM.trimEnd(), PEM.replaceAll("\n", "\\n"), der]) {
      for (const alg of ["HS256", "RS256"]) {
        const answer = await present(forge({ alg }, claimsFor(), secret));
        expect([answer.status, refusalOf(answer).code]).toEqual([401, "INVALID_TOKEN"]);
      }
    }
    const pss = await new SignJWT(claimsFor()).setProtectedHeader({ alg: "PS256" }).sign(RSA.privateKey);
    expect((await present(pss)).status).toBe(401);
    expect((await present(await rs256(RSA.privateKey))).status).toBe(101);
    expect((await present(await rs256(generateKeyPairSync("rsa", { modulusLength: 2048 }).privateKey))).status).toBe(
      401,
    );
    await withKey.stop();
    expect(withKey.stdout).not.toContain("BEGIN PUBLIC KEY");
  });
});

describe("a server with an issuer and an audience", () => {
  it("given tokens of another issuer or audience, when they are shown, then they are bad tokens", async () => {
    await using strict = await ServerProcess.start({ JWT_ISSUER: "https://id.example", JWT_AUDIENCE: "pm" });
    const statusOf = async (changes: object): Promise<number> =>
      (await upgrade(strict, { headers: [["Authorization", `Bearer ${forge(HS256, claims(changes))}`]] })).status;
    expect(await statusOf({ iss: "https://id.example", aud: "pm" })).toBe(101);
    for (const changes of [
      {},
      { iss: "https://id.example" },
      { aud: "pm" },
      { iss: "https://id.example/", aud: "pm" },
      { iss: "https://id.example", aud: "other" },
    ])
      expect([changes, await statusOf(changes)]).toEqual([changes, 401]);
  });
});
