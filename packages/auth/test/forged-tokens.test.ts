import { createHmac, sign } from "node:crypto";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { AuthError, JwtValidator } from "@pm/auth";
import { ManualClock } from "@pm/core/testing";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { claimsOf, encode, hs256, jwkOf, NOW_SECS, rs256, rsaPair, SECRET } from "./tokens.ts";

const clock = new ManualClock();
const pair = rsaPair();
const attacker = rsaPair();
const withSecret = JwtValidator.withHs256(SECRET, { clock });
const withPublicKey = JwtValidator.withRs256(pair.publicKeyPem, { clock });

/** A server of the attacker's, which must never be asked. */
const attackers = { visits: 0, url: "" };
const server = createServer((_, response) => {
  attackers.visits++;
  response.end(JSON.stringify({ keys: [jwkOf(attacker, "evil")] }));
});

beforeAll(async () => {
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  attackers.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/jwks`;
});

afterAll(async () => {
  await new Promise((resolve) => server.close(resolve));
});

const INVALID = {
  code: "INVALID_TOKEN",
  message: "The token is not valid.",
  field: "",
  errorId: "id",
  retryable: false,
  retryAfterMs: 0,
};

async function refusalOf(validator: JwtValidator, token: string): Promise<AuthError> {
  try {
    await validator.authenticate(token);
  } catch (error) {
    if (error instanceof AuthError) return error;
    throw error;
  }
  throw new Error("the token was accepted");
}

const unsigned = (header: unknown) => `${encode(header)}.${encode(claimsOf())}.`;
const rawPayload = (json: string) => hs256(json);

/** Signs with the given digest, whatever the header says. */
function hmac(digest: string, header: unknown): string {
  const signed = `${encode(header)}.${encode(claimsOf())}`;
  return `${signed}.${createHmac(digest, SECRET).update(signed).digest("base64url")}`;
}

function rsa(digest: string, header: unknown): string {
  const signed = `${encode(header)}.${encode(claimsOf())}`;
  return `${signed}.${sign(digest, Buffer.from(signed), pair.privateKey).toString("base64url")}`;
}

describe("given a token forged by hand", () => {
  const good = hs256(claimsOf());
  const [header = "", payload = "", signature = ""] = good.split(".");
  const forgeries: [string, () => JwtValidator, () => string][] = [
    ["alg none without signature", () => withSecret, () => unsigned({ alg: "none" })],
    ["alg none in other case", () => withSecret, () => unsigned({ alg: "NoNe" })],
    ["alg none with a signature", () => withSecret, () => hs256(claimsOf(), SECRET, { alg: "none" })],
    ["no alg", () => withSecret, () => hs256(claimsOf(), SECRET, { typ: "JWT" })],
    ["HS512, properly signed", () => withSecret, () => hmac("sha512", { alg: "HS512" })],
    ["HS256 said, SHA-512 used", () => withSecret, () => hmac("sha512", { alg: "HS256" })],
    ["RS512, properly signed", () => withPublicKey, () => rsa("sha512", { alg: "RS512" })],
    ["the public key as HMAC secret", () => withPublicKey, () => hs256(claimsOf(), pair.publicKeyPem)],
    ["the public key, trimmed, as HMAC secret", () => withPublicKey, () => hs256(claimsOf(), pair.publicKeyPem.trim())],
    [
      "the public key in DER as HMAC secret",
      () => withPublicKey,
      () => hs256(claimsOf(), pair.publicKey.export({ type: "spki", format: "der" })),
    ],
    ["an RS256 token where a secret is expected", () => withSecret, () => rs256(claimsOf(), pair)],
    ["an empty HMAC secret", () => withSecret, () => hs256(claimsOf(), "")],
    ["another secret", () => withSecret, () => hs256(claimsOf(), "x".repeat(32))],
    ["another RSA key", () => withPublicKey, () => rs256(claimsOf(), attacker)],
    [
      "an embedded key",
      () => withPublicKey,
      () => rs256(claimsOf(), attacker, { alg: "RS256", jwk: jwkOf(attacker, "evil") }),
    ],
    [
      "a key behind jku",
      () => withPublicKey,
      () => rs256(claimsOf(), attacker, { alg: "RS256", kid: "evil", jku: attackers.url }),
    ],
    ["a key behind x5u", () => withPublicKey, () => rs256(claimsOf(), attacker, { alg: "RS256", x5u: attackers.url })],
    [
      "a kid that is a path",
      () => withSecret,
      () => hs256(claimsOf(), "", { alg: "HS256", kid: "../../../../dev/null" }),
    ],
    [
      "an unknown critical header",
      () => withSecret,
      () => hs256(claimsOf(), SECRET, { alg: "HS256", crit: ["pm"], pm: 1 }),
    ],
    [
      "an unencoded payload",
      () => withSecret,
      () => hs256(claimsOf(), SECRET, { alg: "HS256", crit: ["b64"], b64: false }),
    ],
    [
      "a logout token of the same issuer",
      () => withSecret,
      () => hs256(claimsOf(), SECRET, { alg: "HS256", typ: "logout+jwt" }),
    ],
    ["a signature cut short", () => withSecret, () => good.slice(0, -4)],
    [
      "a signature of zeros",
      () => withPublicKey,
      () => `${encode({ alg: "RS256" })}.${payload}.${encode(new Uint8Array(256))}`,
    ],
    ["a signature of no bytes", () => withSecret, () => `${header}.${payload}.`],
    [
      "another payload under the signature",
      () => withSecret,
      () => `${header}.${encode(claimsOf({ tenant_id: "other" }))}.${signature}`,
    ],
    [
      "another header over the signature",
      () => withSecret,
      () => `${encode({ alg: "HS256", typ: "JWT" })}.${payload}.${signature}`,
    ],
    ["padding", () => withSecret, () => `${good}=`],
    [
      "standard base64",
      () => withSecret,
      () => `${header}.${payload}.${Buffer.from(signature, "base64url").toString("base64")}`,
    ],
    ["an altered base64 ending", () => withSecret, () => alteredEnding(good)],
    ["white space inside", () => withSecret, () => good.replace(".", ".\n")],
    ["an encrypted token's five parts", () => withSecret, () => `${good}.AAAA.AAAA`],
    ["a claim twice", () => withSecret, () => rawPayload(withTwice('"sub":"ada"', '"sub":"root"'))],
    [
      "a claim twice, once escaped",
      () => withSecret,
      () => rawPayload(withTwice('"tenant_id":"acme"', String.raw`"tenant\u005fid":"other"`)),
    ],
    ["a payload that is a list", () => withSecret, () => rawPayload("[]")],
    ["a payload that is no JSON", () => withSecret, () => rawPayload("sub=ada")],
    ["a nested token as payload", () => withSecret, () => hs256(good, SECRET, { alg: "HS256", cty: "JWT" })],
    ["a payload in UTF-16", () => withSecret, () => hs256(Buffer.from(JSON.stringify(claimsOf()), "utf16le"))],
    ["over 8 KiB", () => withSecret, () => hs256(claimsOf({ pad: "x".repeat(9000) }))],
    ["no exp", () => withSecret, () => hs256(claimsOf({ exp: undefined }))],
    ["exp as text", () => withSecret, () => hs256(claimsOf({ exp: "9999999999" }))],
    ["exp as 1e308", () => withSecret, () => hs256(claimsOf({ exp: 1e308 }))],
    [
      "exp beyond all numbers",
      () => withSecret,
      () => rawPayload(JSON.stringify(claimsOf()).replace(/"exp":\d+/, '"exp":1e999')),
    ],
    ["no iat", () => withSecret, () => hs256(claimsOf({ iat: undefined }))],
    ["iat in the future", () => withSecret, () => hs256(claimsOf({ iat: NOW_SECS + 31 }))],
    ["nbf in the future", () => withSecret, () => hs256(claimsOf({ nbf: NOW_SECS + 31 }))],
    ["no sub", () => withSecret, () => hs256(claimsOf({ sub: undefined }))],
    ["sub as a number", () => withSecret, () => hs256(claimsOf({ sub: 1 }))],
    ["no tenant", () => withSecret, () => hs256(claimsOf({ tenant_id: undefined }))],
    ["tenant as a list", () => withSecret, () => hs256(claimsOf({ tenant_id: ["acme"] }))],
    ["a tenant with a separator", () => withSecret, () => hs256(claimsOf({ tenant_id: "acme:other" }))],
    ["a tenant with NUL", () => withSecret, () => hs256(claimsOf({ tenant_id: "acme\0" }))],
    ["a tenant in fullwidth letters", () => withSecret, () => hs256(claimsOf({ tenant_id: "ａｃｍｅ" }))],
    [
      "a tenant in __proto__",
      () => withSecret,
      () =>
        rawPayload(
          JSON.stringify(claimsOf({ tenant_id: undefined })).replace("{", '{"__proto__":{"tenant_id":"acme"},'),
        ),
    ],
    ["an unknown action", () => withSecret, () => hs256(claimsOf({ channels: [{ pattern: "*", allow: ["admin"] }] }))],
  ];

  it.each(forgeries)(
    "with %s, when it is authenticated, then it gets the one public answer, and the log says why",
    async (_, validator, forge) => {
      const token = forge();
      const error = await refusalOf(validator(), token);
      expect(error.toProtoError("id")).toEqual(INVALID);
      expect(error.location?.file).toContain("/auth/");
      expect(error.message.length).toBeGreaterThan(10);
      for (const part of token.split(".").filter((text) => text.length > 8)) {
        expect(`${error.message} ${String(error.cause)}`).not.toContain(part);
      }
    },
  );

  it("with headers that point elsewhere, when all are refused, then nobody was asked for a key", () => {
    expect(attackers.visits).toBe(0);
  });

  it("that has expired and is not signed by us, when it is authenticated, then it is not said to have expired", async () => {
    const token = hs256(claimsOf({ exp: NOW_SECS - 3600 }), "x".repeat(32));
    expect((await refusalOf(withSecret, token)).toProtoError("id")).toEqual(INVALID);
  });
});

it("given a good token that has expired, when it is authenticated, then its bearer is told so", async () => {
  const error = await refusalOf(withSecret, hs256(claimsOf({ exp: NOW_SECS - 31 })));
  expect(error.toProtoError("id")).toMatchObject({
    code: "TOKEN_EXPIRED",
    message: "The token has expired.",
    field: "",
  });
});

/** The payload of good claims with one of them once more. */
function withTwice(claim: string, again: string): string {
  const json = JSON.stringify(claimsOf());
  if (!json.includes(claim)) throw new Error(`${claim} is not in ${json}`);
  return json.replace("{", `{${again},`);
}

/** The same signature in other letters: 32 bytes leave two bits of the last letter unused. */
function alteredEnding(token: string): string {
  const letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
  const altered = token.slice(0, -1) + letters[letters.indexOf(token.at(-1) ?? "") + 1];
  if (!signatureBytes(altered).equals(signatureBytes(token))) throw new Error("the signature has changed");
  return altered;
}

function signatureBytes(token: string): Buffer {
  return Buffer.from(token.slice(token.lastIndexOf(".") + 1), "base64url");
}
