import { CodedError, type CodedErrorDetails, type TenantId } from "@pm/core";
import { type ClientError, toClientError } from "@pm/proto";

/** Codes of connections and channels. */
export type WsErrorCode =
  | "CONNECTION_CLOSED"
  | "DECODE_ERROR"
  | "ENCODE_ERROR"
  | "SLOW_CLIENT"
  | "BROADCAST_LAGGED"
  | "CONNECTION_LIMIT"
  | "INVALID_MESSAGE"
  | "HEARTBEAT_TIMEOUT"
  | "INTERNAL_ERROR"
  | "PERMISSION_DENIED"
  | "LIMIT_EXCEEDED"
  | "RATE_LIMIT_EXCEEDED"
  | "TENANT_UNKNOWN"
  | "TENANT_SUSPENDED"
  | "UNAVAILABLE"
  | "NOT_SUBSCRIBED"
  | "INVALID_TOKEN"
  | "TOKEN_EXPIRED"
  | "MISSING_AUTH_HEADER"
  | "INVALID_AUTH_SCHEME";

/** Something about a connection, a channel or a message went wrong. */
export class WsError extends CodedError<WsErrorCode> {
  static invalidMessage(field: string, problem: string): WsError {
    return new WsError("INVALID_MESSAGE", `${field} ${problem}`, { field });
  }

  static permissionDenied(action: string, channel: string): WsError {
    return new WsError("PERMISSION_DENIED", `may not ${action} ${channel}`, { field: channel });
  }

  static notSubscribed(channel: string): WsError {
    return new WsError("NOT_SUBSCRIBED", `not subscribed to ${channel}`, { field: channel });
  }

  static subscriptionLimit(current: number, max: number): WsError {
    return new WsError("LIMIT_EXCEEDED", `connection has ${current} subscriptions (max ${max})`, { field: "channel" });
  }

  static channelLimit(tenant: TenantId, max: number): WsError {
    return new WsError("LIMIT_EXCEEDED", `tenant ${tenant} has ${max} active channels (max ${max})`, {
      field: "channel",
    });
  }

  static keyBudget(tenant: TenantId, bytes: number, max: number): WsError {
    return new WsError("RATE_LIMIT_EXCEEDED", `idempotency keys of tenant ${tenant} take ${bytes} bytes (max ${max})`, {
      field: "idempotency_key",
      retryAfterMs: 10_000,
    });
  }

  static rateLimited(what: string, retryAfterMs: number): WsError {
    return new WsError("RATE_LIMIT_EXCEEDED", `${what} over its rate, again in ${Math.ceil(retryAfterMs)} ms`, {
      retryAfterMs,
    });
  }

  static connectionLimit(tenant: TenantId, current: number, max: number): WsError {
    return new WsError("CONNECTION_LIMIT", `tenant ${tenant} has ${current} connections (max ${max})`, {
      retryAfterMs: 5_000,
    });
  }

  static overloaded(what: string, max: number): WsError {
    return new WsError("UNAVAILABLE", `${what} is at its limit of ${max}`, { retryAfterMs: 5_000 });
  }

  static unavailable(why: string, details?: CodedErrorDetails): WsError {
    return new WsError("UNAVAILABLE", why, details);
  }

  static internal(where: string, cause: unknown): WsError {
    return new WsError("INTERNAL_ERROR", `failed in ${where}`, { cause });
  }

  /** What a client may see of it. */
  toProtoError(errorId: string): ClientError {
    return toClientError(this, errorId);
  }
}
