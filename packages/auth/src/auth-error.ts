import { CodedError, type CodedErrorDetails } from "@pm/core";
import { type ClientError, toClientError } from "@pm/proto";

/**
 * Codes of this package. `JWT_DECODE_FAILED` and `INVALID_CLAIM` are for the log: in public they are `INVALID_TOKEN`,
 * so that a forger learns nothing. `UNAVAILABLE` says nothing about the token: try again after `retryAfterMs`.
 */
export type AuthErrorCode =
  | "INVALID_TOKEN"
  | "TOKEN_EXPIRED"
  | "MISSING_AUTH_HEADER"
  | "INVALID_AUTH_SCHEME"
  | "JWT_DECODE_FAILED"
  | "RATE_LIMIT_EXCEEDED"
  | "INVALID_CLAIM"
  | "UNAVAILABLE";

/**
 * A caller is not let in. The message says exactly why and belongs in the log. Of a token it shows at most the
 * algorithm, the type, the names of keys and claims, and times: never the signature, nor who it is about.
 */
export class AuthError extends CodedError<AuthErrorCode> {
  static missingAuthHeader(): AuthError {
    return new AuthError("MISSING_AUTH_HEADER", "the request carries no bearer token");
  }

  /** The value is not shown: where the scheme was forgotten, it is the token. */
  static invalidAuthScheme(headerLength: number): AuthError {
    return new AuthError(
      "INVALID_AUTH_SCHEME",
      `the Authorization header of ${headerLength} characters is not "Bearer" and one token`,
    );
  }

  static invalidToken(reason: string, details?: CodedErrorDetails): AuthError {
    return new AuthError("INVALID_TOKEN", `token refused: ${reason}`, details);
  }

  static undecodable(reason: string): AuthError {
    return new AuthError("JWT_DECODE_FAILED", `token cannot be decoded: ${reason}`);
  }

  static invalidClaim(claim: string, reason: string): AuthError {
    return new AuthError("INVALID_CLAIM", `claim ${claim} ${reason}`, { field: claim });
  }

  static expired(expiresAtMs: number, nowMs: number, leewayMs: number): AuthError {
    return new AuthError("TOKEN_EXPIRED", `token expired ${nowMs - expiresAtMs} ms ago (leeway ${leewayMs} ms)`);
  }

  /** `retryAfterMs` is what the limiter's `check` returned; an infinite one is left out. */
  static rateLimitExceeded(what: string, retryAfterMs: number): AuthError {
    return new AuthError("RATE_LIMIT_EXCEEDED", `${what} is over its rate, free in ${retryAfterMs} ms`, {
      retryAfterMs: Number.isFinite(retryAfterMs) ? retryAfterMs : undefined,
    });
  }

  static unavailable(reason: string, retryAfterMs: number, cause?: unknown): AuthError {
    return new AuthError("UNAVAILABLE", `token cannot be verified now: ${reason}`, { retryAfterMs, cause });
  }

  /** What a client may see of it. */
  toProtoError(errorId: string): ClientError {
    return toClientError(this, errorId);
  }
}
