import { CodedError, type TenantId } from "@pm/core";
import { type ClientError, toClientError } from "@pm/proto";

/**
 * Codes about tenants:
 * - `TENANT_UNKNOWN` the directory does not have it
 * - `TENANT_EXISTS` the directory has it already
 * - `TENANT_SUSPENDED` it may not connect
 * - `UNAVAILABLE` the directory cannot be asked now; `retryAfterMs` says when to try again
 * - `INVALID_MESSAGE` a setting of a tenant, or of a list, is out of its range; `field` says which
 */
export type TenantErrorCode =
  | "TENANT_UNKNOWN"
  | "TENANT_EXISTS"
  | "TENANT_SUSPENDED"
  | "UNAVAILABLE"
  | "INVALID_MESSAGE";

/** Something is wrong with a tenant, or with what is asked about it. */
export class TenantError extends CodedError<TenantErrorCode> {
  static unknown(tenant: TenantId): TenantError {
    return new TenantError("TENANT_UNKNOWN", `tenant ${tenant} is not in the directory`);
  }

  static exists(tenant: TenantId): TenantError {
    return new TenantError("TENANT_EXISTS", `tenant ${tenant} is in the directory already`);
  }

  static suspended(tenant: TenantId): TenantError {
    return new TenantError("TENANT_SUSPENDED", `tenant ${tenant} is suspended`);
  }

  static unavailable(reason: string, retryAfterMs: number, cause?: unknown): TenantError {
    return new TenantError("UNAVAILABLE", `tenants cannot be looked up: ${reason}`, { cause, retryAfterMs });
  }

  static invalid(field: string, value: unknown, expected: string): TenantError {
    return new TenantError("INVALID_MESSAGE", `${field} ${describe(value)} is not ${expected}`, { field });
  }

  /** What a client may see of it. */
  toProtoError(errorId: string): ClientError {
    return toClientError(this, errorId);
  }
}

function describe(value: unknown): string {
  return typeof value === "string" ? JSON.stringify(value.slice(0, 64)) : String(value);
}
