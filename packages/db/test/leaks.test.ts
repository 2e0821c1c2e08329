import { mkdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { DatabaseSync } from "node:sqlite";
import { parseTenantId } from "@pm/core";
import { describe, expect, it } from "vitest";
import { TenantConnectionManager, TenantDirectory, TenantLookup } from "../src/index.ts";
import { coded } from "./coded.ts";
import { manualPorts } from "./manual-ports.ts";
import { CAN_LIST_OPEN_FILES, openFilesIn } from "./open-files.ts";
import { TemporaryFolder } from "./temporary-folder.ts";

const tenants = Array.from({ length: 40 }, (_, i) => parseTenantId(`t${i}`));

describe.skipIf(!CAN_LIST_OPEN_FILES)("open files and timers", () => {
  it("given many tenants one after the other, when they have come and gone, then nothing is left open", async () => {
    using folder = new TemporaryFolder();
    const ports = manualPorts();
    const migrations = [{ version: 1, name: "t", up: "CREATE TABLE t (x)" }];
    const manager = new TenantConnectionManager({ dataDir: folder.path, migrations, maxOpen: 5 }, ports);
    await manager.start();
    for (let round = 0; round < 5; round++) {
      await Promise.all(
        tenants.map((tenant) => manager.withTenant(tenant, (db) => db.run("INSERT INTO t VALUES (1)"))),
      );
      expect(openFilesIn(folder.path).length).toBeLessThanOrEqual(15);
    }
    ports.clock.advance(100_000);
    expect([openFilesIn(folder.path), manager.counts]).toEqual([[], { open: 0, inUse: 0, waiting: 0 }]);
    await manager.drain();
    expect(ports.clock.pending).toBe(0);
  });

  it("given databases that cannot be opened or migrated, when they are tried, then no file stays open", async () => {
    using folder = new TemporaryFolder();
    mkdirSync(folder.file("tenants", "t0"), { recursive: true });
    writeFileSync(folder.file("tenants", "t0", "main.db"), "no database, though it is long enough for one".repeat(100));
    const migrations = [{ version: 1, name: "bad", up: "INSERT INTO nowhere VALUES (1)" }];
    await using manager = new TenantConnectionManager({ dataDir: folder.path, migrations }, manualPorts());
    await manager.start();
    const codes = await Promise.all(
      tenants.map((tenant) => manager.withTenant(tenant, () => "open").catch((error: unknown) => error)),
    );
    expect(codes).toEqual([coded("DB_CORRUPT"), ...tenants.slice(1).map(() => coded("MIGRATION_FAILED"))]);
    expect(openFilesIn(folder.path)).toEqual([]);
  });

  it("given a directory whose tables are gone, when it is started again and again, then no file stays open", async () => {
    using folder = new TemporaryFolder();
    const directory = new TenantDirectory({ dataDir: folder.path }, manualPorts());
    await directory.start();
    await directory.close();
    const shell = new DatabaseSync(folder.file("directory.db"));
    shell.exec("DROP TABLE tenant_changes");
    shell.close();
    const broken = new TenantDirectory({ dataDir: folder.path }, manualPorts());
    for (let i = 0; i < 5; i++) await expect(broken.start()).rejects.toEqual(coded("DB_STATEMENT"));
    expect(openFilesIn(folder.path)).toEqual([]);
  });

  it("given a directory that another takes the place of again and again, when it is polled, then no old file stays open", async () => {
    using folder = new TemporaryFolder();
    const ports = manualPorts();
    await using directory = new TenantDirectory({ dataDir: folder.path }, ports);
    await directory.start();
    const filesAtFirst = openFilesIn(folder.path).length;
    for (let i = 0; i < 5; i++) {
      await using other = new TenantDirectory({ dataDir: folder.file("other") }, manualPorts());
      await other.start();
      await other.close();
      for (const beside of ["-wal", "-shm"]) rmSync(folder.file(`directory.db${beside}`));
      renameSync(folder.file("other", "directory.db"), folder.file("directory.db"));
      ports.clock.advance(1000);
    }
    expect((await directory.list()).tenants).toEqual([]);
    expect(openFilesIn(folder.path)).toHaveLength(filesAtFirst);
  });

  it("given a directory and a look-up, when they are opened and closed again and again, then nothing is left", async () => {
    using folder = new TemporaryFolder();
    const ports = manualPorts();
    for (let round = 0; round < 20; round++) {
      const directory = new TenantDirectory({ dataDir: folder.path }, ports);
      await directory.start();
      const lookup = new TenantLookup(directory, {}, ports);
      await expect(lookup.assertActive(parseTenantId("nobody"))).rejects.toEqual(coded("TENANT_UNKNOWN"));
      await lookup.close();
      await directory.close();
    }
    expect([openFilesIn(folder.path), ports.clock.pending]).toEqual([[], 0]);
  });
});
