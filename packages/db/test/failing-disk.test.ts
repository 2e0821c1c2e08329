import {
  closeSync,
  copyFileSync,
  existsSync,
  fstatSync,
  openSync,
  renameSync,
  rmSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { parseTenantId } from "@pm/core";
import { beforeEach, describe, expect, it } from "vitest";
import {
  type Migration,
  type SqlDatabase,
  type TenantConnectionOptions,
  TenantConnectionManager,
} from "../src/index.ts";
import { coded } from "./coded.ts";
import { type ManualPorts, manualPorts } from "./manual-ports.ts";
import { TemporaryFolder } from "./temporary-folder.ts";
import { Tmpfs } from "./tmpfs.ts";

const [acme, bolt] = [parseTenantId("acme"), parseTenantId("bolt")];
const blobs: Migration = {
  version: 1,
  name: "blobs",
  up: "CREATE TABLE blobs (id INTEGER PRIMARY KEY, data BLOB) STRICT",
};

const write = (db: SqlDatabase): number => db.run("INSERT INTO blobs (data) VALUES (randomblob(10000))").changes;
const count = (db: SqlDatabase): number => Number(db.get("SELECT count(*) AS n FROM blobs")?.["n"]);
/** Reads every page. */
const sizes = (db: SqlDatabase): number[] =>
  db.all("SELECT length(data) AS n FROM blobs").map((row) => Number(row["n"]));
/** Each blob is committed by itself; gives how many were, and the error that ended it. */
function writeUntilItFails(db: SqlDatabase): { committed: number; error: unknown } {
  for (let committed = 0; committed < 10_000; committed++) {
    try {
      write(db);
    } catch (error) {
      return { committed, error };
    }
  }
  throw new Error("the disk never became full");
}

/** Takes a lease that finds its file damaged, and holds it until it is let go. */
async function holdDamaged(manager: TenantConnectionManager): Promise<() => Promise<void>> {
  const [found, held] = [Promise.withResolvers<unknown>(), Promise.withResolvers<void>()];
  const holding = manager.withTenant(acme, async (db) => {
    found.resolve(errorOf(() => db.all("SELECT * FROM blobs")));
    await held.promise;
  });
  expect(await found.promise).toEqual(coded("DB_CORRUPT"));
  return async () => {
    held.resolve();
    await holding;
  };
}

describe("a disk that fails", () => {
  let ports: ManualPorts;

  const start = async (
    folder: TemporaryFolder,
    options: Partial<TenantConnectionOptions> = {},
  ): Promise<TenantConnectionManager> => {
    const manager = new TenantConnectionManager({ dataDir: folder.path, migrations: [blobs], ...options }, ports);
    await manager.start();
    return manager;
  };

  beforeEach(() => {
    ports = manualPorts();
  });

  it("given a tenant at the size allowed to it, when it writes on, then it alone is refused, and keeps what it had", async () => {
    using folder = new TemporaryFolder();
    await using manager = await start(folder);
    const { committed, error } = await manager.withTenant(acme, (db) => {
      db.exec("PRAGMA max_page_count = 100");
      return writeUntilItFails(db);
    });
    expect(error).toEqual(coded("DB_FULL"));
    expect(committed).toBeGreaterThan(10);
    expect(await manager.withTenant(acme, count)).toBe(committed);
    expect(await manager.withTenant(bolt, write)).toBe(1);
    await manager.withTenant(acme, (db) => db.run("DELETE FROM blobs WHERE id <= 5"));
    expect(await manager.withTenant(acme, write)).toBe(1);
    await manager.drain();
    await using restarted = await start(folder);
    expect(await restarted.withTenant(acme, sizes)).toHaveLength(committed - 4);
  });

  it.skipIf(!Tmpfs.isPossible())(
    "given a disk that is really full, when a tenant on it writes, then it alone is refused, and all it had stays",
    async () => {
      using folder = new TemporaryFolder();
      using disk = new Tmpfs(folder.file("tenants", "acme"), 2_000_000);
      await using manager = await start(folder, { reopenDelayMs: 0 });
      const ballast = disk.file("ballast");
      writeFileSync(ballast, Buffer.alloc(500_000));
      const { committed, error } = await manager.withTenant(acme, writeUntilItFails);
      expect(error).toEqual(coded("DB_FULL"));
      expect(committed).toBeGreaterThan(10);
      const half = manager.withTenant(acme, (db) => db.transaction(() => [write(db), write(db), write(db)]));
      await expect(half).rejects.toEqual(coded("DB_FULL"));
      expect(await manager.withTenant(acme, count)).toBe(committed);
      expect(await manager.withTenant(bolt, write)).toBe(1);
      rmSync(ballast);
      expect(await manager.withTenant(acme, write)).toBe(1);
      await manager.drain();
      await using restarted = await start(folder);
      expect(await restarted.withTenant(acme, sizes)).toHaveLength(committed + 1);
      expect(await restarted.withTenant(acme, (db) => db.get("PRAGMA integrity_check"))).toEqual({
        integrity_check: "ok",
      });
    },
  );

  it.skipIf(!Tmpfs.isPossible())(
    "given a disk without a single byte free, when a tenant is opened for the first time, then it is DB_FULL, and works once there is room",
    async () => {
      using folder = new TemporaryFolder();
      using disk = new Tmpfs(folder.file("tenants", "acme"), 200_000);
      const ballast = disk.file("ballast");
      fillUp(ballast);
      await using manager = await start(folder, { reopenDelayMs: 0 });
      await expect(manager.withTenant(acme, write)).rejects.toEqual(coded("DB_FULL"));
      expect(await manager.withTenant(bolt, write)).toBe(1);
      rmSync(ballast);
      expect(await manager.withTenant(acme, write)).toBe(1);
    },
  );

  it("given a file damaged in the middle, when it is read, then its tenant is told, others go on, and a restored file works", async () => {
    using folder = new TemporaryFolder();
    const file = folder.file("tenants", "acme", "main.db");
    const first = await start(folder);
    for (let i = 0; i < 20; i++) await first.withTenant(acme, write);
    await first.withTenant(bolt, write);
    await first.drain();
    copyFileSync(file, folder.file("backup.db"));
    damage(file);

    await using manager = await start(folder);
    expect(await manager.withTenant(acme, () => manager.counts.open)).toBe(1);
    await expect(manager.withTenant(acme, (db) => db.all("SELECT * FROM blobs"))).rejects.toEqual(coded("DB_CORRUPT"));
    expect(manager.counts).toEqual({ open: 0, inUse: 0, waiting: 0 });
    expect(await manager.withTenant(bolt, count)).toBe(1);
    copyFileSync(folder.file("backup.db"), file);
    for (const beside of ["-wal", "-shm"]) rmSync(`${file}${beside}`, { force: true });
    expect(await manager.withTenant(acme, sizes)).toHaveLength(20);
  });

  it("given a damaged file and leases that overlap without end, when the file is restored, then the next lease works", async () => {
    using folder = new TemporaryFolder();
    const file = folder.file("tenants", "acme", "main.db");
    const first = await start(folder);
    for (let i = 0; i < 20; i++) await first.withTenant(acme, write);
    await first.drain();
    copyFileSync(file, folder.file("backup.db"));
    damage(file);

    await using manager = await start(folder, { maxOpen: 2 });
    const letGo = await holdDamaged(manager);
    for (const beside of ["-wal", "-shm"]) rmSync(`${file}${beside}`, { force: true });
    renameSync(folder.file("backup.db"), file);
    expect(await manager.withTenant(acme, sizes)).toHaveLength(20);
    expect(manager.counts).toEqual({ open: 2, inUse: 1, waiting: 0 });
    const waiting = manager.withTenant(bolt, write);
    await letGo();
    expect([await waiting, await manager.withTenant(acme, sizes)]).toEqual([1, expect.any(Array)]);
    expect(manager.counts.open).toBe(2);
  });

  it("given a damaged file and one database that may be open, when a lease holds it, then the next waits for its end", async () => {
    using folder = new TemporaryFolder();
    const file = folder.file("tenants", "acme", "main.db");
    const first = await start(folder);
    for (let i = 0; i < 20; i++) await first.withTenant(acme, write);
    await first.drain();
    damage(file);
    await using manager = await start(folder, { maxOpen: 1 });
    const letGo = await holdDamaged(manager);
    const waiting = manager.withTenant(acme, () => manager.counts);
    const counts = manager.counts;

    await letGo();
    expect(counts).toEqual({ open: 1, inUse: 1, waiting: 1 });
    expect(await waiting).toEqual({ open: 1, inUse: 1, waiting: 0 });
  });

  it("given a file in the place of a tenant's folder, when the tenant is opened, then it alone is told", async () => {
    using folder = new TemporaryFolder();
    await using manager = await start(folder, { reopenDelayMs: 0 });
    await manager.withTenant(bolt, write);
    writeFileSync(folder.file("tenants", "acme"), "in the way");
    await expect(manager.withTenant(acme, write)).rejects.toEqual(coded("DB_IO"));
    expect(await manager.withTenant(bolt, count)).toBe(1);
    rmSync(folder.file("tenants", "acme"));
    expect(await manager.withTenant(acme, write)).toBe(1);
    expect(existsSync(folder.file("tenants", "acme", "main.db"))).toBe(true);
  });
});

function errorOf(work: () => unknown): unknown {
  try {
    return work();
  } catch (error) {
    return error;
  }
}

const PAGE_BYTES = 4096;
/** The schema and the roots of its tables. */
const SOUND_PAGES = 8;

/** Overwrites all pages but the first few, so that the file can still be opened. */
function damage(file: string): void {
  const descriptor = openSync(file, "r+");
  const from = SOUND_PAGES * PAGE_BYTES;
  const noise = Buffer.alloc(fstatSync(descriptor).size - from, 0xa5);
  writeSync(descriptor, noise, 0, noise.length, from);
  closeSync(descriptor);
}

function fillUp(file: string): void {
  const descriptor = openSync(file, "w");
  try {
    for (;;) writeSync(descriptor, Buffer.alloc(PAGE_BYTES));
  } catch {
    closeSync(descriptor);
  }
}
