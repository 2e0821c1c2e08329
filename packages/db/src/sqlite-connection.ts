import { constants, DatabaseSync, type StatementSync } from "node:sqlite";
import { DbError } from "./db-error.ts";
import { toDbError } from "./db-fault.ts";
import type { SqlChanges, SqlDatabase, SqlParameters, SqlResult, SqlRow, SqlValue } from "./sql-database.ts";
import { StatementCache } from "./statement-cache.ts";

/** How a file is opened. */
export interface SqliteConnectionOptions {
  readonly file: string;
  /** Whose database it is, as messages name it. */
  readonly subject: string;
  /** Milliseconds to wait, synchronously, for the lock of another process. */
  readonly busyTimeoutMs: number;
  /** Bytes that the file may grow to, without the log beside it; 0 is no limit. */
  readonly maxBytes: number;
}

/** Pages in the log after which it is written back to the file: SQLite's own number. */
const MAX_LOG_PAGES = 1000;

/** One open SQLite file: WAL, a commit is on the disk when it returns, statements kept prepared, errors coded. */
export class SqliteConnection implements SqlDatabase {
  readonly subject: string;
  readonly #native: DatabaseSync;
  readonly #statements: StatementCache;
  #state: "open" | "in transaction" | "closed" = "open";
  #suspect = false;

  /** @throws DbError when the file cannot be opened as a database. */
  constructor(options: SqliteConnectionOptions) {
    this.subject = options.subject;
    try {
      this.#native = new DatabaseSync(options.file);
    } catch (cause) {
      throw toDbError(cause, this.subject);
    }
    this.#statements = new StatementCache((sql): StatementSync => this.#native.prepare(sql));
    try {
      this.#guard(() => this.#configure(options));
    } catch (error) {
      this.close();
      throw error;
    }
  }

  /** True after an error that may come from the connection itself: better to open the file anew. */
  get suspect(): boolean {
    return this.#suspect;
  }

  exec(sql: string): void {
    this.#guard(() => this.#native.exec(sql));
  }

  run(sql: string, parameters: SqlParameters = []): SqlChanges {
    const done = this.#guard(() => {
      const statement = this.#statements.get(sql);
      return isList(parameters) ? statement.run(...parameters) : statement.run(parameters);
    });
    return { changes: Number(done.changes), lastRowId: Number(done.lastInsertRowid) };
  }

  get(sql: string, parameters: SqlParameters = []): SqlRow | undefined {
    return this.#guard(() => {
      const statement = this.#statements.get(sql);
      return isList(parameters) ? statement.get(...parameters) : statement.get(parameters);
    });
  }

  all(sql: string, parameters: SqlParameters = []): SqlRow[] {
    return this.#guard(() => {
      const statement = this.#statements.get(sql);
      return isList(parameters) ? statement.all(...parameters) : statement.all(parameters);
    });
  }

  transaction<T>(work: () => SqlResult<T>): T {
    // Seen only by its promise, its first part would be rolled back, and the rest would be written after that.
    if (isAsyncFunction(work)) throw this.#asynchronous();
    if (this.#state === "in transaction") throw DbError.statement(this.subject, "transactions do not nest");
    // IMMEDIATE: a transaction that reads first and writes later could otherwise find itself outrun.
    this.#guard(() => {
      this.#native.exec("BEGIN IMMEDIATE");
      this.#state = "in transaction";
    });
    try {
      const result = work();
      this.#assertSynchronous(result);
      this.#commit();
      return result;
    } catch (error) {
      this.#rollback();
      throw error;
    }
  }

  /** Lets go of the file; statements after it fail with `DB_CLOSED`. May be called again. */
  close(): void {
    if (this.#state === "closed") return;
    this.#state = "closed";
    this.#statements.clear();
    this.#native.close();
  }

  #configure(options: SqliteConnectionOptions): void {
    this.#native.exec(`PRAGMA busy_timeout = ${options.busyTimeoutMs}`);
    const mode = this.#native.prepare("PRAGMA journal_mode = WAL").get()?.["journal_mode"];
    if (mode !== "wal") throw DbError.notWal(this.subject, mode);
    this.#native.exec("PRAGMA synchronous = FULL");
    this.#bound(options.maxBytes);
    // Absent before Node 24.10.
    this.#native.setAuthorizer?.((action, name) => this.#authorize(action, name));
  }

  /** The file, and the log beside it, which SQLite would let grow to 1000 pages however small the file is. */
  #bound(maxBytes: number): void {
    const pageBytes = Number(this.#native.prepare("PRAGMA page_size").get()?.["page_size"]);
    const maxPages = maxBytes > 0 ? Math.floor(maxBytes / pageBytes) : Number.POSITIVE_INFINITY;
    const logPages = Math.min(maxPages, MAX_LOG_PAGES);
    if (maxBytes > 0) this.#native.exec(`PRAGMA max_page_count = ${maxPages}`);
    this.#native.exec(`PRAGMA wal_autocheckpoint = ${logPages}`);
    // Else a log would stay as large as the largest transaction has made it.
    this.#native.exec(`PRAGMA journal_size_limit = ${logPages * pageBytes}`);
  }

  /** No statement reaches another file (an empty name is VACUUM's own), and none ends a transaction under `work`. */
  #authorize(action: number, name: string | null): number {
    const isForeignFile = action === constants.SQLITE_ATTACH && name !== "";
    const isForeignEnd = action === constants.SQLITE_TRANSACTION && this.#state === "in transaction";
    return isForeignFile || isForeignEnd ? constants.SQLITE_DENY : constants.SQLITE_OK;
  }

  #guard<T>(use: () => T): T {
    if (this.#state === "closed") throw DbError.closed(this.subject);
    // A full disk ends a transaction under its work; what follows must not be written by itself.
    if (this.#state === "in transaction" && !this.#native.isTransaction) {
      throw DbError.statement(this.subject, "the transaction has been rolled back");
    }
    let result: T;
    try {
      result = use();
    } catch (cause) {
      const error = toDbError(cause, this.subject);
      if (error.code === "DB_CORRUPT" || error.code === "DB_IO") this.#suspect = true;
      throw error;
    }
    if (this.#state === "open" && this.#native.isTransaction) {
      this.#rollback();
      throw DbError.statement(this.subject, "a transaction is begun by transaction(), not by a statement");
    }
    return result;
  }

  #assertSynchronous(result: unknown): void {
    if (!isThenable(result)) return;
    // Its end no longer matters; without a handler its failure would be an unhandled rejection.
    result.then(undefined, () => undefined);
    throw this.#asynchronous();
  }

  #asynchronous(): DbError {
    return DbError.statement(this.subject, "the work of a transaction must be synchronous");
  }

  #commit(): void {
    if (this.#state === "closed") throw DbError.closed(this.subject);
    this.#state = "open";
    this.#guard(() => this.#native.exec("COMMIT"));
  }

  #rollback(): void {
    if (this.#state === "closed") return;
    this.#state = "open";
    try {
      this.#native.exec("ROLLBACK");
    } catch {
      // SQLite has rolled back by itself, as it does on a full disk; if not, the connection is not to be kept.
      if (this.#native.isTransaction) this.#suspect = true;
    }
  }
}

function isList(parameters: SqlParameters): parameters is readonly SqlValue[] {
  return Array.isArray(parameters);
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof (value as { then?: unknown } | null | undefined)?.then === "function";
}

function isAsyncFunction(work: () => unknown): boolean {
  return Object.prototype.toString.call(work) === "[object AsyncFunction]";
}
