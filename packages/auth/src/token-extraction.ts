import { findBearerToken } from "@pm/proto";
import { AuthError } from "./auth-error.ts";

/** The headers in which a token may come, as they are on the wire. */
export interface TokenHeaders {
  /** Of `Authorization`. A list when the header came more than once. */
  readonly authorization?: string | readonly string[] | undefined;
  /** Of `Sec-WebSocket-Protocol`: entries separated by commas. */
  readonly subprotocols?: string | readonly string[] | undefined;
}

/** A token, and where it came from: a browser that offers it as a subprotocol cannot read a refused upgrade. */
export interface ExtractedToken {
  readonly token: string;
  readonly source: "header" | "subprotocol";
}

/**
 * Finds the one token of a request: `Authorization: Bearer <jwt>` (RFC 6750, section 2.1), or the offered subprotocol
 * `pm.v1.bearer.<jwt>`. Nothing is verified.
 * @throws AuthError `MISSING_AUTH_HEADER`, `INVALID_AUTH_SCHEME`, or `INVALID_TOKEN` for two different tokens
 */
export function extractToken(headers: TokenHeaders): ExtractedToken {
  const authorization = listOf(headers.authorization);
  if (authorization.length > 1) throw AuthError.invalidToken(`there are ${authorization.length} Authorization headers`);
  const offered = listOf(headers.subprotocols).flatMap((value) => value.split(",").map((entry) => entry.trim()));
  const found = findBearerToken(authorization[0], offered);
  if (found.kind === "found") return { token: found.token, source: found.source };
  if (found.kind === "none") throw AuthError.missingAuthHeader();
  if (found.kind === "bad-scheme") throw AuthError.invalidAuthScheme(authorization[0]?.length ?? 0);
  throw AuthError.invalidToken("the request carries two different tokens");
}

function listOf(value: string | readonly string[] | undefined): readonly string[] {
  if (value === undefined) return [];
  return typeof value === "string" ? [value] : value;
}
