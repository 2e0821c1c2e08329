import { AuthError } from "./auth-error.ts";
import { isJwtAlgorithm, type JwtAlgorithm } from "./jwt-algorithm.ts";
import { quoted } from "./quoted-text.ts";
import { isJsonObject, readUniqueJson } from "./unique-json.ts";

/** The longest token that is looked at, in characters. */
export const MAX_TOKEN_LENGTH = 8192;
const MAX_KID_LENGTH = 256;

/** What the header of a token asks for; nothing of it is verified yet. */
export interface TokenHeader {
  readonly algorithm: JwtAlgorithm;
  readonly kid: string | undefined;
}

/** Base64url without padding in which unused bits are zero, so that no two texts stand for the same bytes. */
const CANONICAL_BASE64URL = /^(?:[A-Za-z0-9_-]{4})*(?:[A-Za-z0-9_-][AQgw]|[A-Za-z0-9_-]{2}[AEIMQUYcgkosw048])?$/;
/** Tokens of other types (logout, security event, DPoP) may be signed by the same issuer: RFC 8725, section 3.11. */
const ACCEPTED_TYPES = new Set(["jwt", "at+jwt"]);
/** They carry or point to a key of the sender's choice: RFC 8725, section 2.7 to 2.9. */
const KEY_HEADERS = ["jwk", "jku", "x5u", "x5c"];

/**
 * Takes a JWS in compact form apart (RFC 7515, section 7.1) and reads its header.
 * @throws AuthError `JWT_DECODE_FAILED` for what has not the form of a token, `INVALID_TOKEN` for a header that asks
 * for something that is never done.
 */
export function readTokenHeader(token: string): TokenHeader {
  if (token.length > MAX_TOKEN_LENGTH) {
    throw AuthError.undecodable(`${token.length} characters (max ${MAX_TOKEN_LENGTH})`);
  }
  const header = decodeObject(splitToken(token), "header");
  refuseUnsafeHeader(header);
  const { alg, kid } = header;
  if (!isJwtAlgorithm(alg)) throw AuthError.invalidToken(`alg is ${show(alg)}`);
  if (kid !== undefined && (typeof kid !== "string" || kid.length > MAX_KID_LENGTH)) {
    throw AuthError.invalidToken(`kid is not a string of at most ${MAX_KID_LENGTH} characters`);
  }
  return { algorithm: alg, kid };
}

/**
 * Reads the payload of a token whose signature has been verified.
 * @throws AuthError `JWT_DECODE_FAILED`
 */
export function readPayload(payload: Uint8Array): Readonly<Record<string, unknown>> {
  return decodeObject(payload, "payload");
}

/** Checks the form of all three parts and returns the bytes of the header. */
function splitToken(token: string): Uint8Array {
  const parts = token.split(".", 4);
  if (parts.length !== 3) throw AuthError.undecodable("it has not three parts");
  for (const part of parts) {
    if (part === "") throw AuthError.undecodable("a part is empty");
    if (!CANONICAL_BASE64URL.test(part)) throw AuthError.undecodable("a part is not canonical base64url");
  }
  return Buffer.from(parts[0] ?? "", "base64url");
}

function decodeObject(bytes: Uint8Array, part: string): Readonly<Record<string, unknown>> {
  const json = readUniqueJson(bytes);
  if (json.kind === "refused") throw AuthError.undecodable(`${part}: ${json.reason}`);
  if (!isJsonObject(json.value)) throw AuthError.undecodable(`${part}: not an object`);
  return json.value;
}

function refuseUnsafeHeader(header: Readonly<Record<string, unknown>>): void {
  if (header["crit"] !== undefined) throw AuthError.invalidToken("it has critical headers, and none is understood");
  for (const name of KEY_HEADERS) {
    if (header[name] !== undefined) throw AuthError.invalidToken(`header ${name} brings a key of its own`);
  }
  const type = header["typ"];
  if (type === undefined) return;
  if (typeof type !== "string" || !ACCEPTED_TYPES.has(type.toLowerCase().replace(/^application\//, ""))) {
    throw AuthError.invalidToken(`typ is ${show(type)}`);
  }
}

function show(value: unknown): string {
  return typeof value === "string" ? quoted(value, 32) : `of type ${typeof value}`;
}
