import type { CodedError } from "@pm/core";

/** A code that a client can see. */
export type PublicErrorCode =
  | "MISSING_AUTH_HEADER"
  | "INVALID_AUTH_SCHEME"
  | "INVALID_TOKEN"
  | "TOKEN_EXPIRED"
  | "TENANT_UNKNOWN"
  | "TENANT_SUSPENDED"
  | "PERMISSION_DENIED"
  | "INVALID_MESSAGE"
  | "DECODE_ERROR"
  | "NOT_SUBSCRIBED"
  | "LIMIT_EXCEEDED"
  | "CONNECTION_LIMIT"
  | "RATE_LIMIT_EXCEEDED"
  | "SLOW_CLIENT"
  | "BROADCAST_LAGGED"
  | "HEARTBEAT_TIMEOUT"
  | "CONNECTION_CLOSED"
  | "UNAVAILABLE"
  | "INTERNAL_ERROR";

/** What a client may learn about each code: a static sentence, and whether trying again can help. */
interface PublicError {
  readonly message: string;
  readonly retryable: boolean;
}

/**
 * Every code that can reach a client. Codes inside pm that are not here are told as `INTERNAL_ERROR`, or, where they
 * concern a token, as `INVALID_TOKEN`.
 */
export const PUBLIC_ERRORS: Readonly<Record<PublicErrorCode, PublicError>> = {
  MISSING_AUTH_HEADER: { message: "A bearer token is required.", retryable: false },
  INVALID_AUTH_SCHEME: { message: "The Authorization header must be of the scheme Bearer.", retryable: false },
  INVALID_TOKEN: { message: "The token is not valid.", retryable: false },
  TOKEN_EXPIRED: { message: "The token has expired.", retryable: true },
  TENANT_UNKNOWN: { message: "The tenant is not known.", retryable: false },
  TENANT_SUSPENDED: { message: "The tenant is suspended.", retryable: false },
  PERMISSION_DENIED: { message: "The token does not allow this on the channel.", retryable: false },
  INVALID_MESSAGE: { message: "The message is not valid.", retryable: false },
  DECODE_ERROR: { message: "The frame cannot be decoded.", retryable: false },
  NOT_SUBSCRIBED: { message: "The connection is not subscribed to the channel.", retryable: false },
  LIMIT_EXCEEDED: { message: "A limit is reached.", retryable: false },
  CONNECTION_LIMIT: { message: "There are too many connections.", retryable: true },
  RATE_LIMIT_EXCEEDED: { message: "Too many messages in too short a time.", retryable: true },
  SLOW_CLIENT: { message: "The connection takes data too slowly.", retryable: true },
  BROADCAST_LAGGED: { message: "The reader has fallen behind the channel.", retryable: true },
  HEARTBEAT_TIMEOUT: { message: "The connection gave no sign of life.", retryable: true },
  CONNECTION_CLOSED: { message: "The connection is closing.", retryable: true },
  UNAVAILABLE: { message: "Not possible now; try again, with the same idempotency key.", retryable: true },
  INTERNAL_ERROR: { message: "Something went wrong on our side.", retryable: true },
};

/** An error as a client sees it: nothing in it comes from inside but the code, the field and the time to wait. */
export interface ClientError {
  readonly code: PublicErrorCode;
  readonly message: string;
  readonly field: string;
  readonly errorId: string;
  readonly retryable: boolean;
  readonly retryAfterMs: number;
}

const TOKEN_CODES = new Set(["INVALID_CLAIM", "JWT_DECODE_FAILED", "INVALID_TOKEN"]);

/** The one place where an error becomes what a client may see. `errorId` finds the log line that has the rest. */
export function toClientError(error: CodedError, errorId: string): ClientError {
  const code = publicCodeOf(error.code);
  const told = PUBLIC_ERRORS[code];
  return {
    code,
    message: told.message,
    field: code === "INVALID_TOKEN" || code === "INTERNAL_ERROR" ? "" : (error.field ?? ""),
    errorId,
    retryable: told.retryable,
    retryAfterMs: toWholeMs(error.retryAfterMs ?? 0),
  };
}

/** As `retry_after_ms` can carry it; never shorter than asked for. */
function toWholeMs(ms: number): number {
  return ms > 0 ? Math.min(Math.ceil(ms), 2 ** 32 - 1) : 0;
}

function publicCodeOf(code: string): PublicErrorCode {
  if (TOKEN_CODES.has(code)) return "INVALID_TOKEN";
  if (code === "INVALID_NAME") return "INVALID_MESSAGE";
  return Object.hasOwn(PUBLIC_ERRORS, code) ? (code as PublicErrorCode) : "INTERNAL_ERROR";
}
