import { DbError } from "./db-error.ts";
import { isEnvironmentFault, toDbError } from "./db-fault.ts";
import type { SqlDatabase } from "./sql-database.ts";

/** One numbered step from one schema to the next. A step that has been released never changes; a new one follows it. */
export interface Migration {
  /** 1 for the first, then without holes. */
  readonly version: number;
  /** What it does, in a few words; recorded with the version. */
  readonly name: string;
  /** SQL, one or more statements, or a synchronous function. It runs inside a transaction and neither begins nor ends one. */
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
 * @throws DbError `DB_TOO_NEW` when the database is beyond the last version; `MIGRATION_FAILED` when a step fails, after
 * which the database is as it was; a fault of the disk under its own code.
 */
export function applyMigrations(db: SqlDatabase, migrations: readonly Migration[], context: MigrationContext): void {
  const target = migrations.length;
  if (recordedVersion(db) === target) return;
  db.transaction(() => {
    // Another process may have migrated between the look and the lock.
    const current = recordedVersion(db);
    if (current > target) throw DbError.tooNew(context.subject, current, target);
    if (current < target) db.exec(CREATE_RECORD);
    for (const migration of migrations.slice(current)) applyOne(db, migration, context);
  });
}

function recordedVersion(db: SqlDatabase): number {
  const table = db.get("SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = 'pm_migrations'");
  if (table === undefined) return 0;
  return Number(db.get("SELECT max(version) AS version FROM pm_migrations")?.["version"] ?? 0);
}

function applyOne(db: SqlDatabase, migration: Migration, { subject, nowMs }: MigrationContext): void {
  try {
    if (typeof migration.up === "string") db.exec(migration.up);
    else assertNothing(migration.up(db), subject);
    db.run("INSERT INTO pm_migrations (version, name, applied_at_ms) VALUES (?, ?, ?)", [
      migration.version,
      migration.name,
      nowMs,
    ]);
  } catch (cause) {
    const error = toDbError(cause, subject);
    if (isEnvironmentFault(error)) throw error;
    throw DbError.migrationFailed(subject, `${migration.version} (${migration.name})`, cause);
  }
}

/** A migration that is an async function would go on after its transaction. */
function assertNothing(result: unknown, subject: string): void {
  if (result === undefined) return;
  if (result instanceof Promise) result.catch(() => undefined);
  throw DbError.statement(subject, "a migration must be synchronous and return nothing");
}
