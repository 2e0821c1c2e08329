import { mkdirSync } from "node:fs";
import { DatabaseSync } from "node:sqlite";
import { describe, expect, it } from "vitest";
import { DbError } from "./db-error.ts";
import { isEnvironmentFault, toDbError } from "./db-fault.ts";

function sqliteError(errcode: number): Error {
  return Object.assign(new Error("from SQLite"), { code: "ERR_SQLITE_ERROR", errcode });
}

function thrownBy(action: () => unknown): unknown {
  try {
    return action();
  } catch (error) {
    return error;
  }
}

describe("toDbError", () => {
  it.each([
    [5, "DB_BUSY"],
    [6, "DB_BUSY"],
    [517, "DB_BUSY"], // BUSY_SNAPSHOT
    [8, "DB_IO"],
    [778, "DB_IO"], // IOERR_WRITE
    [11, "DB_CORRUPT"],
    [267, "DB_CORRUPT"], // CORRUPT_VTAB
    [26, "DB_CORRUPT"],
    [13, "DB_FULL"],
    [4874, "DB_FULL"], // IOERR_SHMSIZE
    [14, "DB_IO"],
    [19, "DB_CONSTRAINT"],
    [1555, "DB_CONSTRAINT"], // CONSTRAINT_PRIMARYKEY
    [1, "DB_STATEMENT"],
    [25, "DB_STATEMENT"],
    [9999, "DB_IO"], // 9999 & 0xff = 15
  ])("given the SQLite code %i, when it is translated, then it is %s", (errcode, code) => {
    expect(toDbError(sqliteError(errcode), "tenant acme")).toMatchObject({ code, message: "tenant acme: from SQLite" });
  });

  it("given a lock of another process, when it is translated, then it says when to try again", () => {
    expect(toDbError(sqliteError(5), "tenant acme").retryAfterMs).toBe(1000);
    expect(toDbError(sqliteError(13), "tenant acme").retryAfterMs).toBeUndefined();
  });

  it("given a real failure of the file system, when it is translated, then it is DB_IO with its cause", () => {
    const cause = thrownBy(() => mkdirSync("/dev/null/no-folder"));
    expect(toDbError(cause, "tenant acme")).toMatchObject({ code: "DB_IO", cause });
  });

  it.each(["ENOSPC", "EDQUOT"])("given %s of the file system, when it is translated, then it is DB_FULL", (code) => {
    expect(toDbError(Object.assign(new Error(code), { code, syscall: "mkdir" }), "x").code).toBe("DB_FULL");
  });

  it("given a real mistake of the caller, when it is translated, then it is DB_STATEMENT", () => {
    using native = new DatabaseSync(":memory:");
    expect(
      toDbError(
        thrownBy(() => native.exec("SELEC")),
        "x",
      ).code,
    ).toBe("DB_STATEMENT");
    expect(
      toDbError(
        thrownBy(() => native.prepare("SELECT ?").get(2n ** 70n)),
        "x",
      ).code,
    ).toBe("DB_STATEMENT");
    expect(toDbError("a string", "x")).toMatchObject({ code: "DB_STATEMENT", message: "x: a string" });
    expect(toDbError(undefined, "x").code).toBe("DB_STATEMENT");
  });

  it("given a DbError, when it is translated, then it is the same", () => {
    const error = DbError.closed("it");
    expect(toDbError(error, "x")).toBe(error);
  });
});

describe("isEnvironmentFault", () => {
  it("given errors of the machine and of the SQL, when asked, then only the first are", () => {
    expect([13, 11, 5, 10].map((errcode) => isEnvironmentFault(toDbError(sqliteError(errcode), "x")))).not.toContain(
      false,
    );
    expect([1, 19].map((errcode) => isEnvironmentFault(toDbError(sqliteError(errcode), "x")))).not.toContain(true);
  });
});

describe("DbError", () => {
  it("given a full disk, when a client is told, then it learns nothing from inside", () => {
    const told = toDbError(sqliteError(13), "tenant acme").toProtoError("e-1");
    expect(told).toMatchObject({ code: "INTERNAL_ERROR", errorId: "e-1", field: "" });
    expect(JSON.stringify(told)).not.toMatch(/acme|SQLite|disk/);
  });

  it("given an error from a factory, when its location is read, then it is the place that raised it", () => {
    expect(DbError.closed("it").location?.file).toContain("db-fault.test.ts");
  });
});
