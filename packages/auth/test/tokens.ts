import { createHmac, generateKeyPairSync, type KeyObject, sign } from "node:crypto";
import { ManualClock } from "@pm/core/testing";

/** A secret of 32 bytes. */
export const SECRET = "0123456789abcdef0123456789abcdef";
/** The time at which a `ManualClock` begins, in seconds. */
export const NOW_SECS: number = new ManualClock().now() / 1000;

/** An RSA key pair, both halves and the public one in PEM. */
export interface RsaPair {
  readonly privateKey: KeyObject;
  readonly publicKey: KeyObject;
  readonly publicKeyPem: string;
}

/** A new pair of `bits`. */
export function rsaPair(bits = 2048): RsaPair {
  const { privateKey, publicKey } = generateKeyPairSync("rsa", { modulusLength: bits });
  return { privateKey, publicKey, publicKeyPem: publicKey.export({ type: "spki", format: "pem" }).toString() };
}

/** The public half as an entry of a JWK Set. */
export function jwkOf({ publicKey }: RsaPair, kid: string | undefined): Record<string, unknown> {
  return { ...publicKey.export({ format: "jwk" }), use: "sig", alg: "RS256", ...(kid === undefined ? {} : { kid }) };
}

/** Good claims, one hour from now; `changes` replaces some, and removes those set to undefined. */
export function claimsOf(changes: Record<string, unknown> = {}): Record<string, unknown> {
  return { sub: "ada", tenant_id: "acme", iat: NOW_SECS, exp: NOW_SECS + 3600, ...changes };
}

/** Base64url without padding of text, bytes, or a value as JSON. */
export function encode(part: unknown): string {
  const bytes = typeof part === "string" || part instanceof Uint8Array ? part : JSON.stringify(part);
  return Buffer.from(bytes).toString("base64url");
}

/** A token signed with HMAC, made by hand: every part may be whatever a forger likes. */
export function hs256(
  payload: unknown,
  secret: string | Uint8Array = SECRET,
  header: unknown = { alg: "HS256" },
): string {
  const signed = `${encode(header)}.${encode(payload)}`;
  return `${signed}.${createHmac("sha256", secret).update(signed).digest("base64url")}`;
}

/** The same, signed with RSASSA-PKCS1-v1_5 and SHA-256. */
export function rs256(payload: unknown, { privateKey }: RsaPair, header: unknown = { alg: "RS256" }): string {
  const signed = `${encode(header)}.${encode(payload)}`;
  return `${signed}.${sign("sha256", Buffer.from(signed), privateKey).toString("base64url")}`;
}
