import { DatabaseSync } from "node:sqlite";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { coded } from "../test/coded.ts";
import { TemporaryFolder } from "../test/temporary-folder.ts";
import { applyMigrations, assertNumbered, type Migration } from "./migration.ts";
import type { SqlDatabase } from "./sql-database.ts";
import { SqliteConnection } from "./sqlite-connection.ts";

const notes: Migration = {
  version: 1,
  name: "notes",
  up: "CREATE TABLE notes (text TEXT); INSERT INTO notes VALUES ('first')",
};
const titles: Migration = {
  version: 2,
  name: "titles",
  up: (db) => {
    db.exec("ALTER TABLE notes ADD COLUMN title TEXT");
    for (const row of db.all("SELECT rowid, text FROM notes")) {
      db.run("UPDATE notes SET title = upper(?) WHERE rowid = ?", [row["text"] ?? null, row["rowid"] ?? null]);
    }
  },
};

const PROJECTS: Migration = {
  version: 1,
  name: "projects",
  up: `
    CREATE TABLE projects (id INTEGER PRIMARY KEY, name TEXT);
    CREATE TABLE tasks (id INTEGER PRIMARY KEY, project INTEGER NOT NULL REFERENCES projects ON DELETE CASCADE)`,
};

async function writesLate(db: SqlDatabase): Promise<void> {
  db.exec("CREATE TABLE t (x)");
  await Promise.resolve();
  throw new Error("nobody waits for this");
}

describe("applyMigrations", () => {
  let folder: TemporaryFolder;
  let db: SqliteConnection;

  const migrate = (...migrations: Migration[]): void =>
    applyMigrations(db, migrations, { subject: "tenant acme", nowMs: 1_700_000_000_000 });
  const content = (): unknown => ({
    schema: db.all("SELECT name, sql FROM sqlite_schema ORDER BY name"),
    applied: db.get("SELECT 1 FROM sqlite_schema WHERE name = 'pm_migrations'")
      ? db.all("SELECT version, name FROM pm_migrations ORDER BY version")
      : [],
  });

  beforeEach(() => {
    folder = new TemporaryFolder();
    db = new SqliteConnection({ file: folder.file("main.db"), subject: "tenant acme", busyTimeoutMs: 10, maxBytes: 0 });
  });

  afterEach(() => {
    db.close();
    folder[Symbol.dispose]();
  });

  it("given no migrations, when they are applied, then nothing is written", () => {
    migrate();
    expect(content()).toEqual({ schema: [], applied: [] });
  });

  it("given SQL and functions, when they are applied, then all are recorded with name and time", () => {
    migrate(notes, titles);
    expect(db.all("SELECT * FROM notes")).toEqual([{ text: "first", title: "FIRST" }]);
    expect(db.all("SELECT * FROM pm_migrations")).toEqual([
      { version: 1, name: "notes", applied_at_ms: 1_700_000_000_000 },
      { version: 2, name: "titles", applied_at_ms: 1_700_000_000_000 },
    ]);
  });

  it("given a database at version 1, when 1 and 2 are applied, then only 2 runs, and nothing the next time", () => {
    migrate(notes);
    migrate(notes, titles);
    migrate(notes, titles);
    expect(db.all("SELECT title FROM notes")).toEqual([{ title: "FIRST" }]);
  });

  it("given a database at its last version that another process has locked, when it is opened, then nothing waits", () => {
    migrate(notes);
    using other = new DatabaseSync(folder.file("main.db"));
    other.exec("BEGIN IMMEDIATE");
    expect(() => migrate(notes)).not.toThrow();
    expect(() => migrate(notes, titles)).toThrow(coded("DB_BUSY"));
    other.exec("ROLLBACK");
    migrate(notes, titles);
  });

  it("given a step that fails after another, when they are applied, then the database is as it was", () => {
    migrate(notes);
    const before = content();
    const bad: Migration = { version: 3, name: "bad", up: "CREATE TABLE more (x); INSERT INTO nowhere VALUES (1)" };
    expect(() => migrate(notes, titles, bad)).toThrow(
      expect.objectContaining({ code: "MIGRATION_FAILED", message: "tenant acme: migration 3 (bad) failed" }),
    );
    expect(content()).toEqual(before);
    migrate(notes, titles);
    expect(db.all("SELECT title FROM notes")).toEqual([{ title: "FIRST" }]);
  });

  it.each(["COMMIT", "ROLLBACK", "CREATE TABLE t (x); COMMIT; BEGIN"])(
    "given a step that runs %s, when it is applied, then it fails and the database is as it was",
    (sql) => {
      const before = content();
      expect(() => migrate({ ...notes, up: sql })).toThrow(coded("MIGRATION_FAILED"));
      expect(content()).toEqual(before);
    },
  );

  it("given a step that is asynchronous, when it is applied, then it fails and the database is as it was", async () => {
    const up: unknown = writesLate;
    const migration: Migration = { version: 1, name: "async", up: up as Migration["up"] };
    expect(() => migrate(migration)).toThrow(coded("MIGRATION_FAILED"));
    await Promise.resolve();
    expect(content()).toEqual({ schema: [], applied: [] });
  });

  it("given rows that refer to a table, when a step makes that table anew, then they stay, and foreign keys hold again", () => {
    migrate(PROJECTS);
    db.exec("INSERT INTO projects VALUES (1, 'x'); INSERT INTO tasks VALUES (1, 1), (2, 1)");
    migrate(PROJECTS, {
      version: 2,
      name: "names are required",
      up: `
        CREATE TABLE anew (id INTEGER PRIMARY KEY, name TEXT NOT NULL);
        INSERT INTO anew SELECT * FROM projects;
        DROP TABLE projects;
        ALTER TABLE anew RENAME TO projects`,
    });
    expect(db.get("SELECT count(*) AS tasks FROM tasks")).toEqual({ tasks: 2 });
    expect(db.get("PRAGMA foreign_keys")).toEqual({ foreign_keys: 1 });
    db.exec("DELETE FROM projects");
    expect(db.get("SELECT count(*) AS tasks FROM tasks")).toEqual({ tasks: 0 });
  });

  it("given a step that takes away what other rows refer to, when it is applied, then it fails and the database is as it was", () => {
    migrate(PROJECTS);
    db.exec("INSERT INTO projects VALUES (1, 'x'); INSERT INTO tasks VALUES (1, 1)");
    const before = content();
    expect(() => migrate(PROJECTS, { version: 2, name: "none", up: "DELETE FROM projects" })).toThrow(
      expect.objectContaining({
        code: "MIGRATION_FAILED",
        message: "tenant acme: migration to version 2 failed",
        cause: coded("DB_STATEMENT"),
      }),
    );
    expect(content()).toEqual(before);
    expect(db.get("PRAGMA foreign_keys")).toEqual({ foreign_keys: 1 });
    expect(db.get("SELECT count(*) AS projects FROM projects")).toEqual({ projects: 1 });
  });

  it("given a database of newer code, when it is opened, then it is refused with both versions and not touched", () => {
    migrate(notes, titles);
    const before = content();
    expect(() => migrate(notes)).toThrow(
      expect.objectContaining({
        code: "DB_TOO_NEW",
        message: "tenant acme: is at version 2, and this code knows 1 at most",
      }),
    );
    expect(() => migrate()).toThrow(coded("DB_TOO_NEW"));
    expect(content()).toEqual(before);
  });

  it("given a database that another branch has migrated, when it is opened, then the step is named and nothing is touched", () => {
    migrate(notes, { version: 2, name: "tags", up: "CREATE TABLE tags (x)" });
    const before = content();
    const more: Migration = { version: 3, name: "tags", up: "CREATE TABLE tags (x)" };
    for (const migrations of [
      [notes, titles],
      [notes, titles, more],
    ]) {
      expect(() => migrate(...migrations)).toThrow(
        expect.objectContaining({
          code: "MIGRATION_FAILED",
          message: "tenant acme: migration 2 is recorded as tags, and this code has titles",
        }),
      );
    }
    expect(content()).toEqual(before);
  });

  it("given a record with a hole, when the database is opened, then the step that is missing is named", () => {
    migrate(notes, titles);
    db.exec("DELETE FROM pm_migrations WHERE version = 1");
    expect(() => migrate(notes, titles)).toThrow(
      expect.objectContaining({
        code: "MIGRATION_FAILED",
        message: "tenant acme: migration 1 is not recorded, and this code has notes",
      }),
    );
  });

  it("given a disk that is full, when a step runs, then it says so rather than that the step is wrong", () => {
    db.exec("PRAGMA max_page_count = 3");
    const big: Migration = { version: 1, name: "big", up: "CREATE TABLE t AS SELECT randomblob(100000) AS x" };
    expect(() => migrate(big)).toThrow(coded("DB_FULL"));
    expect(content()).toEqual({ schema: [], applied: [] });
  });
});

describe("assertNumbered", () => {
  it.each([[[2]], [[1, 3]], [[1, 1]], [[0]], [[1, 2, 4]]])(
    "given versions %j, when checked, then they are refused",
    (versions) => {
      const migrations = versions.map((version) => ({ ...notes, version }));
      expect(() => assertNumbered(migrations)).toThrow(
        expect.objectContaining({ code: "INVALID_OPTION", field: "migrations" }),
      );
    },
  );

  it("given none, or 1 and 2, when checked, then they pass", () => {
    expect(() => assertNumbered([])).not.toThrow();
    expect(() => assertNumbered([notes, titles])).not.toThrow();
  });
});
