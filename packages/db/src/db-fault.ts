import { DbError, type DbErrorCode } from "./db-error.ts";

/** Primary result codes of SQLite (https://www.sqlite.org/rescode.html); all others are the statement's own fault. */
const SQLITE_CODES: Readonly<Record<number, DbErrorCode>> = {
  3: "DB_IO", // PERM
  5: "DB_BUSY", // BUSY
  6: "DB_BUSY", // LOCKED
  7: "DB_IO", // NOMEM
  8: "DB_IO", // READONLY
  10: "DB_IO", // IOERR
  11: "DB_CORRUPT", // CORRUPT
  13: "DB_FULL", // FULL
  14: "DB_IO", // CANTOPEN
  15: "DB_IO", // PROTOCOL
  19: "DB_CONSTRAINT", // CONSTRAINT
  22: "DB_IO", // NOLFS
  26: "DB_CORRUPT", // NOTADB
};

/** SQLITE_IOERR_SHMSIZE: the shared memory beside a WAL cannot grow, which is how a full disk shows on opening. */
const IOERR_SHMSIZE = 4874;

/** Makes a DbError of whatever node:sqlite or node:fs has thrown; one that is a DbError stays as it is. */
export function toDbError(cause: unknown, subject: string): DbError {
  return cause instanceof DbError ? cause : DbError.fault(codeOf(cause), subject, cause);
}

/** True for a fault of the machine, not of the SQL. */
export function isEnvironmentFault(error: DbError): boolean {
  return ["DB_CORRUPT", "DB_FULL", "DB_BUSY", "DB_IO"].includes(error.code);
}

function codeOf(cause: unknown): DbErrorCode {
  const { code, errcode } = (cause ?? {}) as { code?: unknown; errcode?: unknown };
  if (code === "ERR_SQLITE_ERROR" && typeof errcode === "number") {
    return errcode === IOERR_SHMSIZE ? "DB_FULL" : (SQLITE_CODES[errcode & 0xff] ?? "DB_STATEMENT");
  }
  if (code === "ENOSPC" || code === "EDQUOT") return "DB_FULL";
  return isSystemError(cause) ? "DB_IO" : "DB_STATEMENT";
}

function isSystemError(cause: unknown): boolean {
  return cause instanceof Error && "syscall" in cause;
}
