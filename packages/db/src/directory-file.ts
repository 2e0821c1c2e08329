import { type BigIntStats, existsSync, statSync } from "node:fs";
import { DbError } from "./db-error.ts";
import type { DbPorts } from "./db-ports.ts";
import { DIRECTORY_MIGRATIONS } from "./directory-schema.ts";
import { openDatabase } from "./open-database.ts";
import type { SqlResult } from "./sql-database.ts";
import type { SqliteConnection } from "./sqlite-connection.ts";
import type { TenantChangeListener } from "./tenant-change.ts";
import { TenantChangeFeed } from "./tenant-change-feed.ts";
import { TenantTable } from "./tenant-table.ts";

/** How `directory.db` is opened. */
export interface DirectoryFileOptions {
  readonly path: string;
  readonly busyTimeoutMs: number;
  readonly listeners: Set<TenantChangeListener>;
}

const SUBJECT = "the tenant directory";

/** `directory.db` while it is open: its tables, and the feed of its changes. */
export class DirectoryFile {
  readonly table: TenantTable;
  readonly feed: TenantChangeFeed;
  readonly #path: string;
  readonly #connection: SqliteConnection;
  readonly #opened: BigIntStats | undefined;

  /** Opens it, made first where it does not exist. @throws DbError */
  constructor({ path, busyTimeoutMs, listeners }: DirectoryFileOptions, { clock, logger }: DbPorts) {
    this.#path = path;
    this.#connection = openDatabase({
      file: path,
      subject: SUBJECT,
      busyTimeoutMs,
      maxBytes: 0,
      migrations: DIRECTORY_MIGRATIONS,
      nowMs: clock.now(),
    });
    try {
      this.#opened = this.#stat();
      this.table = new TenantTable(this.#connection);
      this.feed = new TenantChangeFeed(this.table, listeners, logger);
    } catch (error) {
      this.#connection.close();
      throw error;
    }
  }

  /** Opens it again. One that is gone is not made: in a new one nobody would be a tenant. @throws DbError */
  static again(options: DirectoryFileOptions, ports: DbPorts): DirectoryFile {
    if (existsSync(options.path)) return new DirectoryFile(options, ports);
    throw DbError.fault("DB_IO", SUBJECT, new Error("the file is gone"));
  }

  /** True when another file lies in its place, or when reading has failed and the file was written to from outside. */
  get isStale(): boolean {
    const now = this.#stat();
    if (now === undefined) return false;
    return now.ino !== this.#opened?.ino || (this.#connection.suspect && now.mtimeNs !== this.#opened.mtimeNs);
  }

  transaction<T>(work: () => SqlResult<T>): T {
    return this.#connection.transaction<T>(work);
  }

  close(): void {
    this.#connection.close();
  }

  /** Undefined when nothing is there, or it cannot be seen. */
  #stat(): BigIntStats | undefined {
    try {
      return statSync(this.#path, { bigint: true, throwIfNoEntry: false });
    } catch {
      return undefined;
    }
  }
}
