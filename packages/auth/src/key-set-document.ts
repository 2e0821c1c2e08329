import { createPublicKey, type JsonWebKey } from "node:crypto";
import { isJsonObject } from "./unique-json.ts";
import { rs256KeyOf, type VerificationKey } from "./verification-key.ts";

/** What a JWKS document has for us. */
export interface KeySetDocument {
  readonly keys: readonly VerificationKey[];
  /** Keys for other uses, of other kinds, too short, or beyond the limit. */
  readonly ignored: number;
}

const MAX_KEYS = 64;

/**
 * Reads the RS256 keys of a JWK Set (RFC 7517, section 5); what is not one is passed over, as section 5 asks.
 * Undefined for what is not a JWK Set.
 */
export function readKeySetDocument(document: unknown): KeySetDocument | undefined {
  const entries = isJsonObject(document) ? document["keys"] : undefined;
  if (!Array.isArray(entries)) return undefined;
  const keys = entries.slice(0, MAX_KEYS).flatMap((entry) => readKey(entry) ?? []);
  return { keys, ignored: entries.length - keys.length };
}

function readKey(jwk: unknown): VerificationKey | undefined {
  if (!isJsonObject(jwk) || jwk["kty"] !== "RSA" || !isForVerifying(jwk)) return undefined;
  const { n, e, kid } = jwk;
  if (typeof n !== "string" || typeof e !== "string") return undefined;
  if (kid !== undefined && (typeof kid !== "string" || kid === "")) return undefined;
  try {
    const key: JsonWebKey = { kty: "RSA", n, e };
    return rs256KeyOf(createPublicKey({ key, format: "jwk" }), kid);
  } catch {
    return undefined;
  }
}

function isForVerifying({ use, alg, key_ops: operations }: Readonly<Record<string, unknown>>): boolean {
  if (use !== undefined && use !== "sig") return false;
  if (alg !== undefined && alg !== "RS256") return false;
  return operations === undefined || (Array.isArray(operations) && operations.includes("verify"));
}
