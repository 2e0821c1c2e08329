import { DatabaseSync } from "node:sqlite";
import { copyFileSync, existsSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { parseTenantId } from "@pm/core";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { coded } from "../test/coded.ts";
import { manualPorts, type ManualPorts } from "../test/manual-ports.ts";
import { TemporaryFolder } from "../test/temporary-folder.ts";
import type { TenantChange, TenantChangeListener } from "./tenant-change.ts";
import { TenantDirectory } from "./tenant-directory.ts";

const [acme, bolt] = [parseTenantId("acme"), parseTenantId("bolt")];

/** As an operator makes a backup. */
function copyDatabase(from: string, to: string): void {
  using shell = new DatabaseSync(from);
  shell.exec("PRAGMA wal_checkpoint(TRUNCATE)");
  shell.prepare("VACUUM INTO ?").run(to);
}

describe("TenantDirectory", () => {
  let folder: TemporaryFolder;
  let ports: ManualPorts;
  let directory: TenantDirectory;
  let changes: TenantChange[];
  const others: TenantDirectory[] = [];

  const open = async (): Promise<TenantDirectory> => {
    const opened = new TenantDirectory({ dataDir: folder.path, busyTimeoutMs: 10 }, ports);
    await opened.start();
    others.push(opened);
    return opened;
  };

  beforeEach(async () => {
    folder = new TemporaryFolder();
    ports = manualPorts();
    changes = [];
    directory = await open();
    directory.subscribe((change) => changes.push(change));
  });

  afterEach(async () => {
    for (const other of others.splice(0)) await other.close();
    folder[Symbol.dispose]();
  });

  it("given settings, when a tenant is made, then it is active and can be read", async () => {
    const record = await directory.create(acme, { displayName: "Acme", limits: { maxConnections: 5, bytesPerSec: 0 } });
    expect(record).toEqual({
      tenant: "acme",
      state: "active",
      displayName: "Acme",
      limits: { maxConnections: 5, bytesPerSec: 0 },
      createdAtMs: 1_700_000_000_000,
      updatedAtMs: 1_700_000_000_000,
    });
    expect(await directory.get(acme)).toEqual(record);
    expect(changes).toEqual([{ kind: "saved", record }]);
  });

  it("given a tenant, when one is made that differs in case, then they are two, and the same is refused", async () => {
    await directory.create(acme);
    await directory.create(parseTenantId("Acme"));
    await expect(directory.create(acme)).rejects.toEqual(coded("TENANT_EXISTS"));
    expect((await directory.list()).tenants.map(({ tenant }) => tenant)).toEqual(["Acme", "acme"]);
    expect(changes).toHaveLength(2);
  });

  it("given a tenant that is not there, when anything is asked of it, then it is unknown and nothing is told", async () => {
    for (const ask of [
      directory.get(acme),
      directory.update(acme, {}),
      directory.suspend(acme),
      directory.resume(acme),
      directory.delete(acme),
    ]) {
      await expect(ask).rejects.toEqual(coded("TENANT_UNKNOWN"));
    }
    expect(changes).toEqual([]);
  });

  it("given what is not a tenant id, when it is used, then it is refused", async () => {
    const bad = "../acme" as typeof acme;
    for (const ask of [directory.create(bad), directory.get(bad), directory.suspend(bad), directory.delete(bad)]) {
      await expect(ask).rejects.toEqual(coded("INVALID_NAME"));
    }
  });

  it("given a tenant, when it is updated, suspended, resumed and deleted, then each is told with its time", async () => {
    await directory.create(acme, { limits: { maxChannels: 7 } });
    ports.clock.advance(10);
    const updated = await directory.update(acme, { displayName: "Acme", limits: { maxConnections: 9 } });
    expect(updated.updatedAtMs - updated.createdAtMs).toBe(10);
    expect(updated.limits).toEqual({ maxChannels: 7, maxConnections: 9 });
    expect((await directory.suspend(acme)).state).toBe("suspended");
    expect((await directory.resume(acme)).state).toBe("active");
    await directory.delete(acme);
    expect(changes.map((change) => (change.kind === "saved" ? change.record.state : change.kind))).toEqual([
      "active",
      "active",
      "suspended",
      "active",
      "deleted",
    ]);
    expect(changes.at(-1)).toEqual({ kind: "deleted", tenant: "acme" });
  });

  it("given a suspended tenant, when it is suspended again, then it stays as it was and every process is told again", async () => {
    await directory.create(acme);
    const other = await open();
    const first = await other.suspend(acme);
    ports.clock.advance(1000);
    changes.length = 0;
    expect(await other.suspend(acme)).toEqual(first);
    ports.clock.advance(1000);
    expect(changes).toEqual([{ kind: "saved", record: first }]);
  });

  it("given an active tenant, when it is resumed again, then nothing is written or told", async () => {
    const first = await directory.create(acme);
    ports.clock.advance(10);
    expect(await directory.resume(acme)).toEqual(first);
    expect(changes).toHaveLength(1);
  });

  it("given a wrong setting, when it is written, then the field is named and nothing is", async () => {
    const limits = { maxConnections: 0 };
    await expect(directory.create(acme, { limits })).rejects.toEqual(
      coded("INVALID_MESSAGE", { field: "max_connections" }),
    );
    await directory.create(acme);
    await expect(directory.update(acme, { displayName: "\n" })).rejects.toEqual(
      coded("INVALID_MESSAGE", { field: "display_name" }),
    );
    expect((await directory.get(acme)).displayName).toBeUndefined();
  });

  it("given many tenants, when they are listed in pages, then each comes once, in order, also when some go in between", async () => {
    for (let i = 10; i < 20; i++) await directory.create(parseTenantId(`t${i}`));
    await directory.suspend(parseTenantId("t15"));
    const first = await directory.list({ limit: 4 });
    expect(first.tenants.map(({ tenant }) => tenant)).toEqual(["t10", "t11", "t12", "t13"]);
    await directory.delete(parseTenantId("t13"));
    const second = await directory.list({ limit: 6, cursor: first.nextCursor });
    expect(second.tenants.map(({ tenant }) => tenant)).toEqual(["t14", "t15", "t16", "t17", "t18", "t19"]);
    expect(second.nextCursor).toBeUndefined();
    for (let i = 100; i < 200; i++) await directory.create(parseTenantId(`t${i}`));
    expect((await directory.list()).tenants).toHaveLength(100);
    expect((await directory.list({ state: "suspended" })).tenants.map(({ tenant }) => tenant)).toEqual(["t15"]);
  });

  it.each([
    ["limit", { limit: 0 }],
    ["limit", { limit: 1001 }],
    ["limit", { limit: 1.5 }],
    ["cursor", { cursor: "" }],
    ["cursor", { cursor: "Li4v" }],
    ["cursor", { cursor: "%%%" }],
  ])("given a wrong %s as in %j, when tenants are listed, then it is named", async (field, options) => {
    await expect(directory.list(options)).rejects.toEqual(coded("INVALID_MESSAGE", { field }));
  });

  it("given two that have the file open, when one changes it, then the other tells of it at its next poll", async () => {
    const other = await open();
    await other.create(acme);
    await other.suspend(acme);
    await other.create(bolt);
    await other.delete(bolt);
    expect(changes).toEqual([]);
    ports.clock.advance(1000);
    expect(changes).toEqual([
      { kind: "saved", record: await other.get(acme) },
      { kind: "deleted", tenant: "bolt" },
    ]);
    ports.clock.advance(10_000);
    expect(changes).toHaveLength(2);
  });

  it("given both change it at once, when each has polled, then both have been told of everything", async () => {
    const other = await open();
    const told: TenantChange[] = [];
    other.subscribe((change) => told.push(change));
    await other.create(acme);
    await directory.create(bolt);
    expect(changes.map((change) => change.kind === "saved" && change.record.tenant)).toEqual(["acme", "bolt"]);
    ports.clock.advance(1000);
    expect(told.map((change) => change.kind === "saved" && change.record.tenant)).toEqual(["acme", "bolt"]);
    expect(changes).toHaveLength(2);
  });

  it("given an operator's own SQL, when it changes tenants, then that is told too, and what is wrong is refused", () => {
    using shell = new DatabaseSync(folder.file("directory.db"));
    shell.exec(
      "INSERT INTO tenants (tenant_id, state, created_at_ms, updated_at_ms) VALUES ('acme', 'suspended', 1, 1)",
    );
    ports.clock.advance(1000);
    expect(changes).toEqual([
      { kind: "saved", record: expect.objectContaining({ tenant: "acme", state: "suspended" }) },
    ]);
    const wrong = [
      "tenant_id = '../x'",
      "tenant_id = 'a/b'",
      "tenant_id = ''",
      `tenant_id = '${"a".repeat(129)}'`,
      "state = 'gone'",
      "max_connections = 0",
      "publications_per_sec = -1",
      "bytes_per_sec = -1",
      "max_channels = 0",
    ];
    for (const set of wrong) {
      expect(() => shell.exec(`UPDATE tenants SET ${set}`)).toThrow(/CHECK/);
    }
    shell.exec("UPDATE tenants SET tenant_id = 'bolt'");
    ports.clock.advance(1000);
    expect(changes.slice(1).map((change) => (change.kind === "saved" ? change.record.tenant : change))).toEqual([
      "bolt",
      { kind: "deleted", tenant: "acme" },
    ]);
  });

  it("given rows of another tool that no number and no id can be, when tenants are told and listed, then all others are, and the times are in range", async () => {
    using shell = new DatabaseSync(folder.file("directory.db"));
    const insert = "INSERT INTO tenants (tenant_id, state, created_at_ms, updated_at_ms) VALUES";
    shell.exec(`${insert} ('a' || char(0) || '/x', 'active', 1, 1), ('acme', 'active', 1759000000000000000, -1)`);
    await directory.create(bolt);
    shell.exec("INSERT INTO tenant_changes (tenant_id) VALUES ('../x'), ('')");
    await directory.suspend(bolt);
    expect(changes.map((change) => change.kind === "saved" && change.record.tenant)).toEqual(["acme", "bolt", "bolt"]);
    expect(await directory.get(acme)).toMatchObject({ createdAtMs: 8_640_000_000_000_000, updatedAtMs: 0 });
    expect((await directory.list()).tenants.map(({ tenant }) => tenant)).toEqual(["acme", "bolt"]);
    expect((await directory.list({ limit: 1 })).nextCursor).toBeDefined();
    await directory.check();
    const skipped = ports.logger.lines.filter(({ event }) => event === "tenant_changes_skipped");
    expect(skipped.map(({ fields }) => fields)).toEqual([{ changes: 1 }, { changes: 2 }]);
  });

  it("given limits of another tool that are larger than 32 bits, when they are read, then they are the largest, and can be changed", async () => {
    await directory.create(acme);
    using shell = new DatabaseSync(folder.file("directory.db"));
    shell.exec("UPDATE tenants SET max_connections = 5e9, publications_per_sec = 5e9, max_channels = 5e9");
    const largest = { maxConnections: 4_294_967_295, publicationsPerSec: 4_294_967_295, maxChannels: 4_294_967_295 };
    expect((await directory.get(acme)).limits).toEqual(largest);
    const updated = await directory.update(acme, { limits: { maxChannels: 7 } });
    expect(updated.limits).toEqual({ ...largest, maxChannels: 7 });
  });

  it("given more changes than are remembered, when they are polled, then it is told that anything may have changed", () => {
    using shell = new DatabaseSync(folder.file("directory.db"));
    const insert = (from: number, to: number): void =>
      shell.exec(`
        WITH RECURSIVE n(i) AS (SELECT ${from} UNION ALL SELECT i + 1 FROM n WHERE i + 1 < ${to})
        INSERT INTO tenants (tenant_id, state, created_at_ms, updated_at_ms) SELECT 't' || i, 'active', 1, 1 FROM n`);
    insert(0, 10_000);
    ports.clock.advance(1000);
    expect(changes).toHaveLength(10_000);
    changes.length = 0;
    insert(10_000, 20_001);
    ports.clock.advance(1000);
    expect(changes).toEqual([{ kind: "reset" }]);
    expect(shell.prepare("SELECT count(*) AS n FROM tenant_changes").get()).toEqual({ n: 10_000 });
  });

  it("given a listener that throws, when something changes, then the others are told and the change stands", async () => {
    const told: TenantChange[] = [];
    directory.subscribe(() => {
      throw new Error("in a listener");
    });
    const unsubscribe = directory.subscribe((change) => told.push(change));
    await directory.create(acme);
    expect(told).toHaveLength(1);
    expect(ports.logger.lines).toContainEqual(
      expect.objectContaining({ level: "error", event: "tenant_change_listener_failed" }),
    );
    unsubscribe();
    unsubscribe();
    await directory.suspend(acme);
    expect(told).toHaveLength(1);
  });

  it("given a listener that is given twice, when one of its subscriptions ends, then the other goes on", async () => {
    const told: TenantChange[] = [];
    const listener: TenantChangeListener = (change) => told.push(change);
    const unsubscribe = directory.subscribe(listener);
    directory.subscribe(listener);
    await directory.create(acme);
    expect(told).toHaveLength(2);
    unsubscribe();
    await directory.suspend(acme);
    expect(told).toHaveLength(3);
  });

  it("given a listener that is async and rejects, when something changes, then that is logged and nothing else happens", async () => {
    const rejects: unknown = () => Promise.reject(new Error("in an async listener"));
    directory.subscribe(rejects as TenantChangeListener);
    await directory.create(acme);
    await vi.waitFor(() =>
      expect(ports.logger.lines).toContainEqual(expect.objectContaining({ event: "tenant_change_listener_failed" })),
    );
  });

  it("given a listener that changes tenants itself, when it is told, then nothing old is told after what is new", async () => {
    const other = await open();
    await other.create(acme);
    await other.create(bolt);
    const deletions: Promise<void>[] = [];
    const seen = new Map<string, string>();
    directory.subscribe((change) => {
      if (change.kind === "saved" && change.record.tenant === acme) deletions.push(directory.delete(bolt));
      if (change.kind !== "reset")
        seen.set(change.kind === "saved" ? change.record.tenant : change.tenant, change.kind);
    });
    ports.clock.advance(1000);
    await Promise.all(deletions);
    expect(Object.fromEntries(seen)).toEqual({ acme: "saved", bolt: "deleted" });
  });

  it("given a directory that cannot be read, when it is polled, then it is logged once, and told again when it can", async () => {
    const other = await open();
    using locked = new DatabaseSync(folder.file("directory.db"));
    locked.exec("ALTER TABLE tenant_changes RENAME TO away");
    await expect(directory.check()).rejects.toEqual(coded("DB_STATEMENT"));
    ports.clock.advance(3000);
    await expect(directory.check()).rejects.toEqual(coded("DB_STATEMENT"));
    locked.exec("ALTER TABLE away RENAME TO tenant_changes");
    await expect(directory.check()).rejects.toEqual(coded("DB_STATEMENT"));
    await other.create(acme);
    ports.clock.advance(1000);
    await directory.check();
    expect(changes).toHaveLength(1);
    const events = ports.logger.lines.map(({ event }) => event);
    expect(events.filter((event) => event === "tenant_directory_unreadable")).toHaveLength(2);
    expect(events.filter((event) => event === "tenant_directory_readable")).toHaveLength(2);
  });

  it.each(["in place", "by a rename"])(
    "given a file that is damaged while it is open, when it is restored %s, then it is opened again and everybody is to look anew",
    async (how) => {
      await directory.create(acme);
      const file = folder.file("directory.db");
      copyDatabase(file, folder.file("backup.db"));
      changes.length = 0;
      writeFileSync(file, "no database, though it is long enough for one".repeat(1000));
      await directory.get(acme).catch(() => undefined);
      ports.clock.advance(3000);
      await expect(directory.check()).rejects.toEqual(coded("DB_CORRUPT"));
      await expect(directory.get(acme)).rejects.toEqual(coded("DB_CORRUPT"));
      for (const beside of ["-wal", "-shm"]) rmSync(`${file}${beside}`, { force: true });
      if (how === "in place") copyFileSync(folder.file("backup.db"), file);
      else renameSync(folder.file("backup.db"), file);
      ports.clock.advance(1000);
      await directory.check();
      expect((await directory.get(acme)).state).toBe("active");
      expect(changes).toEqual([{ kind: "reset" }]);
      await directory.suspend(acme);
      expect(changes.at(-1)).toMatchObject({ kind: "saved", record: { state: "suspended" } });
      const events = ports.logger.lines.map(({ event }) => event);
      expect(events.filter((event) => event === "tenant_directory_reopened")).toHaveLength(1);
    },
  );

  it("given a sound file that another takes the place of, when it is polled, then the other is opened", async () => {
    await directory.create(acme);
    copyDatabase(folder.file("directory.db"), folder.file("backup.db"));
    await directory.create(bolt);
    for (const beside of ["-wal", "-shm"]) rmSync(folder.file(`directory.db${beside}`), { force: true });
    renameSync(folder.file("backup.db"), folder.file("directory.db"));
    ports.clock.advance(1000);
    expect((await directory.list()).tenants.map(({ tenant }) => tenant)).toEqual(["acme"]);
    expect(changes.at(-1)).toEqual({ kind: "reset" });
  });

  it("given a sound file that its log is written back to, when it is polled, then it is not opened again", async () => {
    await directory.create(acme);
    using shell = new DatabaseSync(folder.file("directory.db"));
    shell.exec("PRAGMA wal_checkpoint(TRUNCATE)");
    ports.clock.advance(1000);
    expect(ports.logger.lines).toEqual([]);
    expect(changes).toEqual([expect.objectContaining({ kind: "saved" })]);
  });

  it("given a sound file that is taken away, when it is polled, then the directory goes on with what it has open", async () => {
    await directory.create(acme);
    rmSync(folder.file("directory.db"));
    ports.clock.advance(1000);
    await directory.check();
    expect((await directory.get(acme)).tenant).toBe("acme");
  });

  it("given a damaged file that is then gone, when it is polled, then no empty one is made in its place", async () => {
    await directory.create(acme);
    const file = folder.file("directory.db");
    writeFileSync(folder.file("other"), "no database, though it is long enough for one".repeat(1000));
    for (const beside of ["-wal", "-shm"]) rmSync(`${file}${beside}`, { force: true });
    renameSync(folder.file("other"), file);
    ports.clock.advance(1000);
    rmSync(file);
    ports.clock.advance(1000);
    expect(existsSync(file)).toBe(false);
    await expect(directory.check()).rejects.toEqual(coded("DB_IO"));
    ports.clock.advance(10_000);
    const unreadable = ports.logger.lines.filter(({ event }) => event === "tenant_directory_unreadable");
    expect(unreadable).toHaveLength(1);
    await directory.close();
    expect(ports.clock.pending).toBe(0);
  });

  it("given another process that holds the lock, when a tenant is made, then it is refused for now and others are read", async () => {
    await directory.create(acme);
    using other = new DatabaseSync(folder.file("directory.db"));
    other.exec("BEGIN IMMEDIATE");
    await expect(directory.create(bolt)).rejects.toEqual(coded("DB_BUSY", { retryAfterMs: 1000 }));
    expect((await directory.get(acme)).tenant).toBe("acme");
    other.exec("ROLLBACK");
    await directory.create(bolt);
  });

  it("given tenants and a restart, when the directory is opened again, then all is as it was and nothing is told", async () => {
    await directory.create(acme, { displayName: "Acme", limits: { publicationsPerSec: 100 } });
    const record = await directory.suspend(acme);
    await directory.drain();
    directory = await open();
    directory.subscribe((change) => changes.push(change));
    changes.length = 0;
    ports.clock.advance(5000);
    expect(await directory.get(acme)).toEqual(record);
    expect(changes).toEqual([]);
  });

  it("given a file that is no directory, when it is started, then that fails with its code and can be tried again", async () => {
    const broken = new TenantDirectory({ dataDir: folder.file("broken") }, ports);
    const good = new TenantDirectory({ dataDir: folder.file("broken") }, ports);
    await good.start();
    await good.create(acme);
    await good.close();
    writeFileSync(folder.file("broken", "directory.db"), "no database, though it is long enough for one".repeat(100));
    await expect(broken.start()).rejects.toEqual(coded("DB_CORRUPT"));
    rmSync(folder.file("broken", "directory.db"));
    await broken.start();
    expect((await broken.list()).tenants).toEqual([]);
    await broken.close();
  });

  it("given a directory in any state, when its life cycle is called again, then nothing breaks", async () => {
    const idle = new TenantDirectory({ dataDir: folder.file("idle") }, ports);
    const timers = ports.clock.pending;
    await expect(idle.list()).rejects.toEqual(coded("DB_CLOSED"));
    await idle.start();
    await idle.start();
    expect(ports.clock.pending).toBe(timers + 1);
    await idle.drain();
    await idle.close();
    await idle[Symbol.asyncDispose]();
    await expect(idle.create(acme)).rejects.toEqual(coded("DB_CLOSED"));
    await expect(idle.start()).rejects.toEqual(coded("DB_CLOSED"));
    expect(ports.clock.pending).toBe(timers);
  });

  it("given no folder at all, as from plain JavaScript, when it is made, then that is named", () => {
    const options = {} as { dataDir: string };
    expect(() => new TenantDirectory(options, ports)).toThrow(coded("INVALID_OPTION", { field: "dataDir" }));
  });

  it.each(["pollIntervalMs", "busyTimeoutMs", "dataDir"])(
    "given a wrong %s, when it is made, then that is named",
    (field) => {
      const options = { dataDir: "data", [field]: field === "dataDir" ? "" : -1 };
      expect(() => new TenantDirectory(options, ports)).toThrow(coded("INVALID_OPTION", { field }));
    },
  );
});
