import { parseTenantId, type TenantId } from "@pm/core";
import { RecordingLogger } from "@pm/core/testing";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { TemporaryFolder } from "../test/temporary-folder.ts";
import { DIRECTORY_MIGRATIONS } from "./directory-schema.ts";
import { openDatabase } from "./open-database.ts";
import type { SqlParameters, SqlRow } from "./sql-database.ts";
import { SqliteConnection, type SqliteConnectionOptions } from "./sqlite-connection.ts";
import type { TenantChange } from "./tenant-change.ts";
import { TenantChangeFeed } from "./tenant-change-feed.ts";
import type { TenantRecord } from "./tenant-record.ts";
import { type ChangedTenants, TenantTable } from "./tenant-table.ts";

const [A, B, C] = ["a", "b", "c"].map(parseTenantId) as [TenantId, TenantId, TenantId];

/** A connection that is outrun: another one commits after each list that it reads. */
class OutrunConnection extends SqliteConnection {
  afterRead: (() => void) | undefined;

  override all(sql: string, parameters?: SqlParameters): SqlRow[] {
    const rows = super.all(sql, parameters);
    this.afterRead?.();
    return rows;
  }
}

/** A table of which some reads fail, and that counts how often its changes are read. */
class FlakyTable extends TenantTable {
  failures = 0;
  reads = 0;

  override changedSince(seq: number): ChangedTenants {
    this.reads++;
    return super.changedSince(seq);
  }

  override find(tenant: TenantId): TenantRecord | undefined {
    if (this.failures-- > 0) throw new Error("not now");
    return super.find(tenant);
  }
}

describe("TenantChangeFeed", () => {
  let folder: TemporaryFolder;
  let connection: SqliteConnection;
  let table: FlakyTable;
  let feed: TenantChangeFeed;
  let told: TenantChange[];

  const options = (): SqliteConnectionOptions => ({
    file: folder.file("directory.db"),
    subject: "the tenant directory",
    busyTimeoutMs: 10,
    maxBytes: 0,
  });
  const save = (tenant: TenantId): void =>
    table.save({ tenant, state: "active", limits: {}, createdAtMs: 1, updatedAtMs: 1 });
  const names = (): unknown[] => told.map((change) => (change.kind === "saved" ? change.record.tenant : change.kind));

  beforeEach(() => {
    folder = new TemporaryFolder();
    connection = openDatabase({ ...options(), migrations: DIRECTORY_MIGRATIONS, nowMs: 1 });
    table = new FlakyTable(connection);
    told = [];
    feed = new TenantChangeFeed(table, new Set([(change) => told.push(change)]), new RecordingLogger());
  });

  afterEach(() => {
    connection.close();
    folder[Symbol.dispose]();
  });

  it("given own changes that could not be read, when it polls, then they are told, though no other process wrote", () => {
    save(A);
    save(B);
    table.failures = 1;
    feed.publish();
    expect([names(), feed.failure]).toEqual([[], new Error("not now")]);
    feed.poll();
    expect([names(), feed.failure]).toEqual([["a", "b"], undefined]);
    feed.poll();
    expect(told).toHaveLength(2);
  });

  it("given one change of another process, when it polls again and again, then the changes are read once", () => {
    feed.poll();
    expect(table.reads).toBe(0);
    const other = new SqliteConnection(options());
    new TenantTable(other).save({ tenant: C, state: "active", limits: {}, createdAtMs: 1, updatedAtMs: 1 });
    other.close();
    for (let polls = 0; polls < 3; polls++) feed.poll();
    expect([names(), table.reads]).toEqual([["c"], 1]);
  });

  it("given a file that has gone back in time, when it is read, then it is told that anything may have changed", () => {
    save(A);
    feed.publish();
    connection.exec("DELETE FROM tenant_changes");
    feed.publish();
    expect(names()).toEqual(["a", "reset"]);
  });

  it("given another process that commits while changes are read, when it polls on, then each change is told", () => {
    const outrun = new OutrunConnection(options());
    const outrunFeed = new TenantChangeFeed(
      new TenantTable(outrun),
      new Set([(change) => told.push(change)]),
      new RecordingLogger(),
    );
    const more = [B, C];
    outrun.afterRead = () => {
      const next = more.shift();
      if (next !== undefined) save(next);
    };
    save(A);
    for (let polls = 0; polls < 3; polls++) outrunFeed.poll();
    outrun.close();
    expect(names()).toEqual(["a", "b", "c"]);
  });
});
