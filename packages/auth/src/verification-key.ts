import { createPublicKey, createSecretKey, type KeyObject, type webcrypto } from "node:crypto";
import { AuthOptionError } from "./auth-option-error.ts";
import { isJwtAlgorithm, type JwtAlgorithm } from "./jwt-algorithm.ts";

/** A key as it is configured: one algorithm, and the `kid` of the tokens that it verifies. */
export type JwtKey = Hs256Key | Rs256Key;

/** A shared secret. */
export interface Hs256Key {
  readonly algorithm: "HS256";
  /** Text stands for its UTF-8 bytes. 32 bytes or more; shorter ones are taken, with a warning. */
  readonly secret: string | Uint8Array;
  /** Without one, the key verifies tokens without `kid` and those whose `kid` no other key has. */
  readonly kid?: string | undefined;
}

/** The public half of an RSA key of at least 2048 bits. */
export interface Rs256Key {
  readonly algorithm: "RS256";
  /** SPKI, PKCS #1 or certificate in PEM. */
  readonly publicKeyPem: string;
  /** As with `Hs256Key`. */
  readonly kid?: string | undefined;
}

/** A key ready for use. The algorithm is part of it: no token chooses another. */
export interface VerificationKey {
  readonly kid: string | undefined;
  readonly algorithm: JwtAlgorithm;
  /** For comparing keys. */
  readonly material: KeyObject;
  /** For verifying with WebCrypto. */
  readonly key: webcrypto.CryptoKey;
}

/** The bytes an HS256 secret should have at least: as many as the hash (RFC 7518, section 3.2). */
export const MIN_SECRET_BYTES = 32;
const MIN_RSA_BITS = 2048;
const MIN_RSA_EXPONENT = 3n;
const HMAC_SHA256 = { name: "HMAC", hash: "SHA-256" };
const RSA_SHA256 = { name: "RSASSA-PKCS1-v1_5", hash: "SHA-256" };

/**
 * Makes a configured key ready.
 * @throws AuthOptionError for an unknown algorithm, an empty secret, a key in PEM given as a secret, and whatever is
 * not a public RSA key of at least 2048 bits
 */
export function importKey(key: JwtKey): VerificationKey {
  const { algorithm, kid }: { readonly algorithm: unknown; readonly kid?: unknown } = key;
  if (!isJwtAlgorithm(algorithm)) throw AuthOptionError.of("algorithm", "is not HS256 or RS256");
  if (kid !== undefined && typeof kid !== "string") throw AuthOptionError.of("kid", "is not text");
  if (kid === "") throw AuthOptionError.of("kid", "is empty");
  return key.algorithm === "HS256" ? importSecret(key) : importPem(key);
}

/** True for an HS256 key below 32 bytes, which can be guessed offline from one token. */
export function isShortSecret(key: VerificationKey): boolean {
  return key.algorithm === "HS256" && (key.material.symmetricKeySize ?? 0) < MIN_SECRET_BYTES;
}

/**
 * Makes a public RSA key ready for RS256.
 * @throws AuthOptionError for other kinds of keys, below 2048 bits, and for a public exponent below 3
 */
export function rs256KeyOf(material: KeyObject, kid: string | undefined): VerificationKey {
  if (material.asymmetricKeyType !== "rsa") {
    throw AuthOptionError.of("publicKeyPem", `is a key of type ${material.asymmetricKeyType}, not rsa`);
  }
  const bits = material.asymmetricKeyDetails?.modulusLength ?? 0;
  if (bits < MIN_RSA_BITS) throw AuthOptionError.of("publicKeyPem", `has ${bits} bits (min ${MIN_RSA_BITS})`);
  // With an exponent of 1 every signature is its own message: anybody can sign.
  const exponent = material.asymmetricKeyDetails?.publicExponent ?? 0n;
  if (exponent < MIN_RSA_EXPONENT) throw AuthOptionError.of("publicKeyPem", `has the exponent ${exponent}`);
  return { kid, algorithm: "RS256", material, key: material.toCryptoKey(RSA_SHA256, false, ["verify"]) };
}

function importSecret({ secret, kid }: Hs256Key): VerificationKey {
  // Whatever else Buffer.from takes, such as a list of secrets, becomes bytes that anybody can guess.
  if (typeof secret !== "string" && !(secret instanceof Uint8Array)) {
    throw AuthOptionError.of("secret", "is not text or bytes");
  }
  const bytes = Buffer.from(secret);
  if (bytes.length === 0) throw AuthOptionError.of("secret", "is empty");
  if (bytes.includes("-----BEGIN ")) {
    throw AuthOptionError.of("secret", "is a key in PEM: a public key as a secret lets everybody sign");
  }
  const material = createSecretKey(bytes);
  return { kid, algorithm: "HS256", material, key: material.toCryptoKey(HMAC_SHA256, false, ["verify"]) };
}

function importPem({ publicKeyPem, kid }: Rs256Key): VerificationKey {
  if (typeof publicKeyPem !== "string") throw AuthOptionError.of("publicKeyPem", "is not text");
  if (publicKeyPem.includes("PRIVATE KEY-----")) {
    throw AuthOptionError.of("publicKeyPem", "is a private key: give the public one, and keep this one away");
  }
  return rs256KeyOf(readPem(publicKeyPem), kid);
}

function readPem(pem: string): KeyObject {
  try {
    return createPublicKey(pem);
  } catch (cause) {
    throw AuthOptionError.of("publicKeyPem", "is not a public key in PEM", cause);
  }
}
