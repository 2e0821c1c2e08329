import { BEARER_SUBPROTOCOL_PREFIX } from "./encoding.ts";

/** What a request carries by way of a token, before anything is verified. */
export type BearerToken =
  | { readonly kind: "none" }
  | { readonly kind: "bad-scheme" }
  | { readonly kind: "ambiguous" }
  | { readonly kind: "found"; readonly token: string; readonly source: "header" | "subprotocol" };

const SCHEME = "bearer ";
const NOT_IN_A_TOKEN = /[\s,]/;

/**
 * Finds the bearer token of a handshake: in the Authorization header (RFC 6750, section 2.1), or, for browsers, in the
 * offered subprotocols as `pm.v1.bearer.<jwt>`. Two different tokens are `ambiguous`.
 */
export function findBearerToken(authorization: string | undefined, subprotocols: readonly string[] = []): BearerToken {
  const offered = subprotocols
    .filter((entry) => entry.startsWith(BEARER_SUBPROTOCOL_PREFIX))
    .map((entry) => entry.slice(BEARER_SUBPROTOCOL_PREFIX.length));
  const header = authorization === undefined ? undefined : bearerOf(authorization);
  if (authorization !== undefined && header === undefined) return { kind: "bad-scheme" };
  if (header !== undefined && offered.length === 0) return { kind: "found", token: header, source: "header" };
  const tokens = new Set(header === undefined ? offered : [header, ...offered]);
  if (tokens.size > 1) return { kind: "ambiguous" };
  const [token] = tokens;
  if (token === undefined) return { kind: "none" };
  return { kind: "found", token, source: header === undefined ? "subprotocol" : "header" };
}

function bearerOf(authorization: string): string | undefined {
  if (authorization.slice(0, SCHEME.length).toLowerCase() !== SCHEME) return undefined;
  const token = authorization.slice(SCHEME.length).trim();
  return token === "" || NOT_IN_A_TOKEN.test(token) ? undefined : token;
}
