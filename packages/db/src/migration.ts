import { DbError } from "./db-error.ts";
import { isEnvironmentFault, toDbError } from "./db-fault.ts";
import type { SqlDatabase } from "./sql-database.ts";

/** One numbered step from one schema to the next. A step that has been released never changes; a new one follows it. */
export interface Migration {
  /** 1 for the first, then without holes. */
  readonly version: number;
  /** What it does, in a few words; recorded with the version, and compared with what was recorded before. */
  readonly name: string;
  /**
   * SQL, one or more statements, or a synchronous function. It runs inside a transaction and neither begins nor ends
   * one. Foreign keys do not act while it runs, and hold again at the end.
   */
  readonly up: string | ((db: SqlDatabase) => void);
}

/** What `applyMigrations` needs to know beside the migrations. */
export interface MigrationContext {
  /** Whose database it is, as messages name it. */
  readonly subject: string;
  readonly nowMs: number;
}

const CREATE_RECORD =
  "CREATE TABLE IF NOT EXISTS pm_migrations (version INTEGER PRIMARY KEY, name TEXT NOT NULL, applied_at_ms INTEGER NOT NULL) STRICT";

/**
 * Checks that versions are 1, 2, 3 … in order.
 * @throws DbError `INVALID_OPTION`
 */
export function assertNumbered(migrations: readonly Migration[]): void {
  migrations.forEach((migration, index) => {
    if (migration.version !== index + 1) {
      throw DbError.invalidOption(
        "migrations",
        `version ${migration.version}`,
        `version ${index + 1} at place ${index}`,
      );
    }
  });
}

/**
 * Brings a database to the last version, all missing steps in one transaction, and records them in `pm_migrations`.
 * @throws DbError `DB_TOO_NEW` when the database is beyond the last version; `MIGRATION_FAILED` when other steps were
 * applied to it than these, or one fails, after which the database is as it was; a fault of the disk under its own
 * code.
 */
export function applyMigrations(db: SqlDatabase, migrations: readonly Migration[], context: MigrationContext): void {
  const target = migrations.length;
  if (recordedVersion(db, migrations, context) === target) return;
  // With foreign keys on, SQLite's own way to change a table (a new one, a copy, DROP, RENAME) deletes the rows that
  // refer to it. Inside the transaction it would be too late to say so (https://www.sqlite.org/lang_altertable.html).
  db.exec("PRAGMA foreign_keys = OFF");
  try {
    db.transaction(() => {
      // Another process may have migrated between the look and the lock.
      const current = recordedVersion(db, migrations, context);
      if (current === target) return;
      db.exec(CREATE_RECORD);
      for (const migration of migrations.slice(current)) applyOne(db, migration, context);
      named(`to version ${target}`, context, () => assertReferences(db, context));
    });
  } finally {
    db.exec("PRAGMA foreign_keys = ON");
  }
}

/**
 * The version of the database, after a look that it came from these very steps: two branches may each have had a third.
 */
function recordedVersion(db: SqlDatabase, migrations: readonly Migration[], { subject }: MigrationContext): number {
  const table = db.get("SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = 'pm_migrations'");
  if (table === undefined) return 0;
  const recorded = db.all("SELECT version, name FROM pm_migrations ORDER BY version");
  const last = Number(recorded.at(-1)?.["version"] ?? 0);
  if (last > migrations.length) throw DbError.tooNew(subject, last, migrations.length);
  for (const [index, { name }] of migrations.slice(0, last).entries()) {
    const row = recorded[index];
    if (row?.["version"] !== index + 1) throw DbError.migrationsDiffer(subject, index + 1, "not recorded", name);
    if (row["name"] !== name)
      throw DbError.migrationsDiffer(subject, index + 1, `recorded as ${String(row["name"])}`, name);
  }
  return last;
}

function applyOne(db: SqlDatabase, { version, name, up }: Migration, context: MigrationContext): void {
  named(`${version} (${name})`, context, () => {
    if (typeof up === "string") db.exec(up);
    else assertNothing(up(db), context.subject);
    db.run("INSERT INTO pm_migrations (version, name, applied_at_ms) VALUES (?, ?, ?)", [version, name, context.nowMs]);
  });
}

/** Runs a part of a migration; a fault that is not the disk's gets the name of the part. */
function named(part: string, { subject }: MigrationContext, run: () => void): void {
  try {
    run();
  } catch (cause) {
    const error = toDbError(cause, subject);
    if (isEnvironmentFault(error)) throw error;
    throw DbError.migrationFailed(subject, part, cause);
  }
}

function assertReferences(db: SqlDatabase, { subject }: MigrationContext): void {
  const broken = db.get('SELECT "table", parent FROM pragma_foreign_key_check LIMIT 1');
  if (broken === undefined) return;
  throw DbError.statement(
    subject,
    `rows of ${String(broken["table"])} refer to rows of ${String(broken["parent"])} that are not there`,
  );
}

/** A migration that is an async function would go on after its transaction. */
function assertNothing(result: unknown, subject: string): void {
  if (result === undefined) return;
  if (result instanceof Promise) result.catch(() => undefined);
  throw DbError.statement(subject, "a migration must be synchronous and return nothing");
}
