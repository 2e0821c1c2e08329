/** The signature algorithms that keys may have (RFC 7518, section 3.1). */
export type JwtAlgorithm = "HS256" | "RS256";

/** True for one of the algorithms, spelled exactly. */
export function isJwtAlgorithm(value: unknown): value is JwtAlgorithm {
  return value === "HS256" || value === "RS256";
}
