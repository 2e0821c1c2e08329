import { CodedError, type CodedErrorDetails, type TenantId } from "@pm/core";
import { type ClientError, toClientError } from "@pm/proto";

/**
 * Codes of the databases:
 * - `DB_CORRUPT` the file is not a database, or is damaged
 * - `DB_FULL` the disk, or the size allowed to the database, is full
 * - `DB_BUSY` another process holds the lock
 * - `DB_IO` the file cannot be opened, read or written
 * - `DB_STATEMENT` the SQL, its parameters or its transaction is wrong
 * - `DB_CONSTRAINT` a constraint of the schema does not hold
 * - `DB_LIMIT` all databases that may be open are in use, and the wait was too long or the queue too full
 * - `DB_CLOSED` the manager, the directory or the lease has ended, or has not begun; with `retryAfterMs`: the tenant's
 *   database is kept closed for a while
 * - `DB_TOO_NEW` the database was migrated by newer code
 * - `MIGRATION_FAILED` a migration failed, or others were applied than the code has; the database is as it was
 * - `INVALID_OPTION` an option is out of its range
 */
export type DbErrorCode =
  | "DB_CORRUPT"
  | "DB_FULL"
  | "DB_BUSY"
  | "DB_IO"
  | "DB_STATEMENT"
  | "DB_CONSTRAINT"
  | "DB_LIMIT"
  | "DB_CLOSED"
  | "DB_TOO_NEW"
  | "MIGRATION_FAILED"
  | "INVALID_OPTION";

/** How long to wait before trying again what was refused because of others. */
const RETRY_AFTER_MS = 1000;

/** A database failed, or was used wrongly. `retryAfterMs` is set where trying again can help. */
export class DbError extends CodedError<DbErrorCode> {
  static fault(code: DbErrorCode, subject: string, cause: unknown): DbError {
    const details: CodedErrorDetails = code === "DB_BUSY" ? { cause, retryAfterMs: RETRY_AFTER_MS } : { cause };
    return new DbError(code, `${subject}: ${cause instanceof Error ? cause.message : String(cause)}`, details);
  }

  static statement(subject: string, problem: string): DbError {
    return new DbError("DB_STATEMENT", `${subject}: ${problem}`);
  }

  static notWal(subject: string, mode: unknown): DbError {
    return new DbError("DB_IO", `${subject}: the file system gives journal mode ${String(mode)}, not wal`);
  }

  static queueFull(subject: string, max: number): DbError {
    return new DbError("DB_LIMIT", `${subject}: too many leases are waiting (max ${max} in all)`, {
      retryAfterMs: RETRY_AFTER_MS,
    });
  }

  static waitedTooLong(subject: string, waitMs: number): DbError {
    return new DbError("DB_LIMIT", `${subject}: no database could be closed within ${waitMs} ms`, {
      retryAfterMs: RETRY_AFTER_MS,
    });
  }

  static closed(what: string): DbError {
    return new DbError("DB_CLOSED", `${what} is not open`);
  }

  static tenantClosed(tenant: TenantId): DbError {
    return new DbError("DB_CLOSED", `tenant ${tenant}: the database is kept closed for now`, {
      retryAfterMs: RETRY_AFTER_MS,
    });
  }

  static leaseEnded(): DbError {
    return new DbError("DB_CLOSED", "the lease of the database has ended");
  }

  static tooNew(subject: string, version: number, known: number): DbError {
    return new DbError("DB_TOO_NEW", `${subject}: is at version ${version}, and this code knows ${known} at most`);
  }

  static migrationFailed(subject: string, migration: string, cause: unknown): DbError {
    return new DbError("MIGRATION_FAILED", `${subject}: migration ${migration} failed`, { cause });
  }

  static migrationsDiffer(subject: string, version: number, recorded: string, name: string): DbError {
    return new DbError(
      "MIGRATION_FAILED",
      `${subject}: migration ${version} is ${recorded}, and this code has ${name}`,
    );
  }

  static invalidOption(name: string, value: unknown, expected: string): DbError {
    return new DbError("INVALID_OPTION", `${name} is ${String(value)}, not ${expected}`, { field: name });
  }

  /** What a client may see of it. */
  toProtoError(errorId: string): ClientError {
    return toClientError(this, errorId);
  }
}
