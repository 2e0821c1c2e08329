import { existsSync, statSync, writeFileSync } from "node:fs";
import { DatabaseSync } from "node:sqlite";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { coded } from "../test/coded.ts";
import { TemporaryFolder } from "../test/temporary-folder.ts";
import { SqliteConnection } from "./sqlite-connection.ts";

describe("SqliteConnection", () => {
  let folder: TemporaryFolder;
  let db: SqliteConnection;

  const open = (maxBytes = 0): SqliteConnection =>
    new SqliteConnection({ file: folder.file("main.db"), subject: "tenant acme", busyTimeoutMs: 10, maxBytes });
  const rows = (): number => Number(db.get("SELECT count(*) AS n FROM notes")?.["n"]);

  const writesLate = async (): Promise<void> => {
    db.run("INSERT INTO notes (text) VALUES ('a')");
    await Promise.resolve();
    throw new Error("nobody waits for this");
  };

  const writesTwice = async (): Promise<void> => {
    db.run("INSERT INTO notes (text) VALUES ('a')");
    await Promise.resolve();
    db.run("INSERT INTO notes (text) VALUES ('b')");
  };

  beforeEach(() => {
    folder = new TemporaryFolder();
    db = open();
    db.exec("CREATE TABLE notes (id INTEGER PRIMARY KEY, text TEXT NOT NULL UNIQUE) STRICT");
  });

  afterEach(() => {
    db.close();
    folder[Symbol.dispose]();
  });

  it("given a new file, when it is open, then it is in WAL mode, commits reach the disk, and foreign keys hold", () => {
    expect(db.get("PRAGMA journal_mode")).toEqual({ journal_mode: "wal" });
    expect(db.get("PRAGMA synchronous")).toEqual({ synchronous: 2 });
    expect(db.get("PRAGMA foreign_keys")).toEqual({ foreign_keys: 1 });
    expect(db.get("PRAGMA busy_timeout")).toEqual({ timeout: 10 });
  });

  it("given no size, when a file is open, then the log beside it is bounded all the same", () => {
    expect(db.get("PRAGMA wal_autocheckpoint")).toEqual({ wal_autocheckpoint: 1000 });
    expect(db.get("PRAGMA journal_size_limit")).toEqual({ journal_size_limit: 4_096_000 });
  });

  it("given a connection that can no longer write, when it is used, then it is said to be suspect", () => {
    db.exec("PRAGMA query_only = ON");
    expect(() => db.run("INSERT INTO notes (text) VALUES ('a')")).toThrow(coded("DB_IO"));
    expect(db.suspect).toBe(true);
  });

  it("given rows, when they are written and read by place and by name, then they come back", () => {
    expect(db.run("INSERT INTO notes (text) VALUES (?), (?)", ["a", "b"])).toEqual({ changes: 2, lastRowId: 2 });
    expect(db.run("UPDATE notes SET text = :to WHERE text = :from", { from: "b", to: "c" }).changes).toBe(1);
    expect(db.all("SELECT text FROM notes ORDER BY id")).toEqual([{ text: "a" }, { text: "c" }]);
    expect(db.get("SELECT text FROM notes WHERE id = :id", { id: 9 })).toBeUndefined();
  });

  it("given mistakes in SQL and parameters, when they run, then each has its code and the connection goes on", () => {
    expect(() => db.exec("SELEC")).toThrow(coded("DB_STATEMENT"));
    expect(() => db.get("SELECT :a", { b: 1 })).toThrow(coded("DB_STATEMENT"));
    expect(() => db.run("INSERT INTO notes (text) VALUES (NULL)")).toThrow(coded("DB_CONSTRAINT"));
    expect(db.suspect).toBe(false);
    expect(rows()).toBe(0);
  });

  it("given work that throws, when it runs in a transaction, then nothing of it is written and the error is its own", () => {
    const mistake = new Error("mine");
    const work = (): never => {
      db.run("INSERT INTO notes (text) VALUES ('a')");
      throw mistake;
    };
    expect(() => db.transaction(work)).toThrow(mistake);
    expect(rows()).toBe(0);
    expect(db.transaction(() => db.run("INSERT INTO notes (text) VALUES ('b')").changes)).toBe(1);
    expect(rows()).toBe(1);
  });

  it("given an async function, when it is to run in a transaction, then it is refused and not begun, and does not compile", async () => {
    // @ts-expect-error a promise is no result of a transaction
    expect(() => db.transaction(writesTwice)).toThrow(coded("DB_STATEMENT"));
    await Promise.resolve();
    expect(rows()).toBe(0);
  });

  it("given work that returns a promise, when it runs in a transaction, then it is refused and rolled back", async () => {
    // @ts-expect-error a promise is no result of a transaction
    expect(() => db.transaction(() => writesLate())).toThrow(coded("DB_STATEMENT"));
    await Promise.resolve();
    expect(rows()).toBe(0);
  });

  it("given a transaction, when another is begun inside, then that one is refused", () => {
    expect(() => db.transaction(() => db.transaction(() => undefined))).toThrow(coded("DB_STATEMENT"));
  });

  it.each(["BEGIN", "BEGIN IMMEDIATE", "SAVEPOINT s"])(
    "given %s as a statement, when it runs, then it is undone and refused",
    (sql) => {
      expect(() => db.exec(sql)).toThrow(coded("DB_STATEMENT"));
      expect(() => db.run(sql)).toThrow(coded("DB_STATEMENT"));
      expect(db.transaction(() => 1)).toBe(1);
    },
  );

  it.each(["COMMIT", "ROLLBACK", "END"])(
    "given %s inside a transaction, when it runs, then nothing is written",
    (sql) => {
      const work = (): void => {
        db.run("INSERT INTO notes (text) VALUES ('a')");
        db.exec(sql);
      };
      expect(() => db.transaction(work)).toThrow(coded("DB_STATEMENT"));
      expect(rows()).toBe(0);
    },
  );

  it("given another file, when a statement reaches for it, then it is refused and not made, while VACUUM works", () => {
    const other = folder.file("other.db");
    expect(() => db.exec(`ATTACH '${other}' AS other`)).toThrow(coded("DB_STATEMENT"));
    expect(() => db.run("ATTACH ? AS other", [other])).toThrow(coded("DB_STATEMENT"));
    expect(() => db.exec(`VACUUM INTO '${other}'`)).toThrow(coded("DB_STATEMENT"));
    expect(existsSync(other)).toBe(false);
    db.exec("VACUUM");
  });

  it("given another connection that holds the lock, when a transaction begins, then it is refused for now", () => {
    using other = new DatabaseSync(folder.file("main.db"));
    other.exec("BEGIN IMMEDIATE");
    expect(() => db.transaction(() => 1)).toThrow(expect.objectContaining({ code: "DB_BUSY", retryAfterMs: 1000 }));
    other.exec("ROLLBACK");
    expect(db.transaction(() => 1)).toBe(1);
  });

  it("given a size, when it is used up, then writing fails with DB_FULL, and what was committed can be read", () => {
    db.close();
    db = open(65_536);
    const write = (): void => {
      for (let i = 0; i < 100; i++) db.run("INSERT INTO notes (text) VALUES (?)", [`${rows()}${"x".repeat(2000)}`]);
    };
    expect(write).toThrow(coded("DB_FULL"));
    const before = rows();
    expect(before).toBeGreaterThan(5);
    expect(() => db.transaction(write)).toThrow(coded("DB_FULL"));
    expect(rows()).toBe(before);
    expect(db.suspect).toBe(false);
  });

  it("given a size, when all of it is written again and again, then the log beside the file stays in proportion", () => {
    db.close();
    const maxBytes = 131_072;
    db = open(maxBytes);
    db.run("INSERT INTO notes (text) VALUES (?)", ["x".repeat(40_000)]);
    for (let i = 0; i < 50; i++) db.run("UPDATE notes SET text = ?", [String(i).padEnd(40_000)]);
    expect(statSync(folder.file("main.db-wal")).size).toBeLessThan(2.1 * maxBytes);
    db.run("UPDATE notes SET text = 'small'");
    expect(statSync(folder.file("main.db-wal")).size).toBeLessThan(1.1 * maxBytes);
  });

  it("given a transaction that a full disk has ended, when its work goes on regardless, then nothing is written", () => {
    db.close();
    db = open(65_536);
    const work = (): void => {
      try {
        for (let i = 0; i < 100; i++) db.run("INSERT INTO notes (text) VALUES (?)", [`${i}${"x".repeat(2000)}`]);
      } catch {
        db.run("INSERT INTO notes (text) VALUES ('after')");
      }
    };
    expect(() => db.transaction(work)).toThrow(coded("DB_STATEMENT"));
    expect(rows()).toBe(0);
  });

  it("given a connection that is closed, when it is used or closed again, then it says so", () => {
    db.close();
    db.close();
    expect(() => db.get("SELECT 1")).toThrow(coded("DB_CLOSED"));
    expect(() => db.transaction(() => 1)).toThrow(coded("DB_CLOSED"));
  });

  it("given work that closes the connection, when it returns, then the transaction is not taken for written", () => {
    expect(() => db.transaction(() => db.close())).toThrow(coded("DB_CLOSED"));
  });

  it("given a file that is no database, or a folder, when it is opened, then it fails with its code", () => {
    db.close();
    writeFileSync(folder.file("main.db"), "not a database, but long enough to look like one".repeat(100));
    expect(() => open()).toThrow(coded("DB_CORRUPT"));
    const isFolder = { file: folder.path, subject: "tenant acme", busyTimeoutMs: 10, maxBytes: 0 };
    expect(() => new SqliteConnection(isFolder)).toThrow(coded("DB_IO"));
  });
});
