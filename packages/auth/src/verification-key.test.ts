import { createPublicKey, generateKeyPairSync } from "node:crypto";
import { describe, expect, it } from "vitest";
import { rsaPair, SECRET } from "../test/tokens.ts";
import { AuthOptionError } from "./auth-option-error.ts";
import { importKey, isShortSecret, type JwtKey } from "./verification-key.ts";

const pair = rsaPair();
const pem = (key: ReturnType<typeof generateKeyPairSync>["publicKey"]) =>
  key.export({ type: "spki", format: "pem" }).toString();

function refusalOf(key: JwtKey): AuthOptionError {
  try {
    importKey(key);
  } catch (error) {
    if (error instanceof AuthOptionError) return error;
    throw error;
  }
  throw new Error("nothing was thrown");
}

describe("importKey", () => {
  it("given a secret, when it is imported, then it can verify and not sign, and cannot be taken out", () => {
    const { algorithm, key } = importKey({ algorithm: "HS256", secret: SECRET, kid: "k1" });
    expect({ algorithm, usages: key.usages, extractable: key.extractable }).toEqual({
      algorithm: "HS256",
      usages: ["verify"],
      extractable: false,
    });
  });

  it.each([
    [1, true],
    [31, true],
    [32, false],
    [64, false],
  ])("given a secret of %d bytes, when it is imported, then whether it is short is %s", (bytes, short) => {
    expect(isShortSecret(importKey({ algorithm: "HS256", secret: "s".repeat(bytes) }))).toBe(short);
    expect(isShortSecret(importKey({ algorithm: "HS256", secret: new Uint8Array(bytes) }))).toBe(short);
  });

  it("given a secret of 31 characters with 32 bytes, when it is imported, then its bytes count", () => {
    expect(isShortSecret(importKey({ algorithm: "HS256", secret: `${"s".repeat(30)}ü` }))).toBe(false);
  });

  it.each(["", new Uint8Array(0)])("given an empty secret, when it is imported, then it is refused", (secret) => {
    expect(refusalOf({ algorithm: "HS256", secret }).message).toContain("empty");
  });

  it("given a public key as a secret, when it is imported, then it is refused, since everybody has it", () => {
    expect(refusalOf({ algorithm: "HS256", secret: pair.publicKeyPem }).field).toBe("secret");
    expect(refusalOf({ algorithm: "HS256", secret: Buffer.from(pair.publicKeyPem) }).field).toBe("secret");
  });

  it.each(["spki", "pkcs1"] as const)("given a public key as %s, when it is imported, then it is for RS256", (type) => {
    const publicKeyPem = pair.publicKey.export({ type, format: "pem" }).toString();
    expect(importKey({ algorithm: "RS256", publicKeyPem }).key.algorithm).toMatchObject({
      name: "RSASSA-PKCS1-v1_5",
      hash: { name: "SHA-256" },
    });
  });

  it.each([
    ["nothing", ""],
    ["no PEM", "garbage"],
    ["a private key", pair.privateKey.export({ type: "pkcs8", format: "pem" }).toString()],
    ["a private key of PKCS #1", pair.privateKey.export({ type: "pkcs1", format: "pem" }).toString()],
    ["a short RSA key", rsaPair(1024).publicKeyPem],
    ["an RSA key that is a little too short", rsaPair(2040).publicKeyPem],
    ["an EC key", pem(generateKeyPairSync("ec", { namedCurve: "P-256" }).publicKey)],
    ["an Ed25519 key", pem(generateKeyPairSync("ed25519").publicKey)],
    ["an RSA-PSS key", pem(generateKeyPairSync("rsa-pss", { modulusLength: 2048 }).publicKey)],
  ])("given %s as a public key, when it is imported, then it is refused and not shown", (_, publicKeyPem) => {
    const error = refusalOf({ algorithm: "RS256", publicKeyPem });
    expect(error.field).toBe("publicKeyPem");
    expect(error.message).not.toContain("BEGIN");
  });

  it("given an RSA key with an exponent of 1, when it is imported, then it is refused, since anybody can sign", () => {
    const jwk = { ...pair.publicKey.export({ format: "jwk" }), e: "AQ" };
    const publicKeyPem = pem(createPublicKey({ key: jwk, format: "jwk" }));
    expect(refusalOf({ algorithm: "RS256", publicKeyPem }).message).toContain("exponent 1");
  });

  it("given an RSA key with the least exponent, when it is imported, then it is taken", () => {
    const publicKeyPem = pem(generateKeyPairSync("rsa", { modulusLength: 2048, publicExponent: 3 }).publicKey);
    expect(importKey({ algorithm: "RS256", publicKeyPem }).algorithm).toBe("RS256");
  });

  it.each([
    ["secret", { algorithm: "HS256", secret: [SECRET, SECRET] }],
    ["secret", { algorithm: "HS256", secret: { length: 32 } }],
    ["secret", { algorithm: "HS256", secret: new Uint32Array(32) }],
    ["secret", { algorithm: "HS256", secret: undefined }],
    ["publicKeyPem", { algorithm: "RS256", publicKeyPem: undefined }],
    ["publicKeyPem", { algorithm: "RS256", publicKeyPem: pair.publicKey }],
    ["algorithm", { algorithm: "RS384", publicKeyPem: pair.publicKeyPem }],
    ["algorithm", { algorithm: "hs256", secret: SECRET }],
    ["algorithm", { publicKeyPem: pair.publicKeyPem }],
    ["kid", { algorithm: "HS256", secret: SECRET, kid: 7 }],
    ["kid", { algorithm: "HS256", secret: SECRET, kid: null }],
  ])("given what has not the type of %s, when it is imported, then it is refused by that name", (field, key) => {
    expect(refusalOf(key as unknown as JwtKey).field).toBe(field);
  });

  it("given an empty kid, when the key is imported, then it is refused", () => {
    expect(refusalOf({ algorithm: "HS256", secret: SECRET, kid: "" }).field).toBe("kid");
  });
});
