import { mkdirSync } from "node:fs";
import { dirname } from "node:path";
import { toDbError } from "./db-fault.ts";
import { applyMigrations, type Migration } from "./migration.ts";
import { SqliteConnection, type SqliteConnectionOptions } from "./sqlite-connection.ts";

/** How a database is opened. */
export interface OpenDatabaseOptions extends SqliteConnectionOptions {
  readonly migrations: readonly Migration[];
  readonly nowMs: number;
}

/**
 * Opens a database at its last version, made first where it does not exist, in folders that only the owner can read.
 * @throws DbError; then nothing is left open.
 */
export function openDatabase(options: OpenDatabaseOptions): SqliteConnection {
  try {
    mkdirSync(dirname(options.file), { recursive: true, mode: 0o700 });
  } catch (cause) {
    throw toDbError(cause, options.subject);
  }
  const connection = new SqliteConnection(options);
  try {
    applyMigrations(connection, options.migrations, options);
    return connection;
  } catch (error) {
    connection.close();
    throw error;
  }
}
