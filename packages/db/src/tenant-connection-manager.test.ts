import { getEventListeners } from "node:events";
import { existsSync, rmSync, statSync, writeFileSync } from "node:fs";
import { parseTenantId, type TenantId } from "@pm/core";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { coded } from "../test/coded.ts";
import { manualPorts, type ManualPorts } from "../test/manual-ports.ts";
import { TemporaryFolder } from "../test/temporary-folder.ts";
import type { Migration } from "./migration.ts";
import type { SqlDatabase } from "./sql-database.ts";
import { TenantConnectionManager } from "./tenant-connection-manager.ts";
import type { TenantConnectionOptions } from "./tenant-connection-options.ts";

const [A, B, C] = ["a", "b", "c"].map(parseTenantId) as [TenantId, TenantId, TenantId];
const notes: Migration = { version: 1, name: "notes", up: "CREATE TABLE notes (text TEXT) STRICT" };

const write =
  (text: string) =>
  (db: SqlDatabase): number =>
    db.run("INSERT INTO notes VALUES (?)", [text]).changes;
const read = (db: SqlDatabase): unknown[] => db.all("SELECT text FROM notes").map((row) => row["text"]);

describe("TenantConnectionManager", () => {
  let folder: TemporaryFolder;
  let ports: ManualPorts;
  let manager: TenantConnectionManager;

  const make = async (options: Partial<TenantConnectionOptions> = {}): Promise<TenantConnectionManager> => {
    manager = new TenantConnectionManager({ dataDir: folder.path, migrations: [notes], maxOpen: 2, ...options }, ports);
    await manager.start();
    return manager;
  };
  /** A lease that lasts until the returned function is called. */
  const hold = async (tenant: TenantId): Promise<() => Promise<void>> => {
    const held = Promise.withResolvers<void>();
    const leased = Promise.withResolvers<void>();
    const lease = manager.withTenant(tenant, (): Promise<void> => {
      leased.resolve();
      return held.promise;
    });
    await leased.promise;
    return () => {
      held.resolve();
      return lease;
    };
  };
  const closures = (): unknown[] =>
    ports.logger.lines.filter(({ event }) => event === "tenant_database_closed").map(({ fields }) => fields);

  beforeEach(() => {
    folder = new TemporaryFolder();
    ports = manualPorts();
  });

  afterEach(async () => {
    await manager.close();
    folder[Symbol.dispose]();
  });

  it("given two tenants that differ in case, when both write, then each has its own file and rows", async () => {
    await make();
    const [upper, lower] = [parseTenantId("Acme"), parseTenantId("acme")];
    await manager.withTenant(upper, write("upper"));
    await manager.withTenant(lower, write("lower"));
    expect(await manager.withTenant(upper, read)).toEqual(["upper"]);
    expect(await manager.withTenant(lower, read)).toEqual(["lower"]);
    expect(existsSync(folder.file("tenants", "acme+1", "main.db"))).toBe(true);
    expect(existsSync(folder.file("tenants", "acme", "main.db"))).toBe(true);
    expect(statSync(folder.file("tenants")).mode & 0o077).toBe(0);
  });

  it("given what is not a tenant id, when a lease is asked for, then it is refused and no folder is made", async () => {
    await make();
    for (const tenant of ["..", "../../etc", "a/b", ""] as TenantId[]) {
      await expect(manager.withTenant(tenant, read)).rejects.toEqual(coded("INVALID_NAME"));
      await expect(manager.closeTenant(tenant)).rejects.toEqual(coded("INVALID_NAME"));
    }
    expect(existsSync(folder.file("tenants"))).toBe(false);
  });

  it("given work that throws or rejects, when it is over, then the caller gets the same error and the lease has ended", async () => {
    await make();
    const mistake = new Error("mine");
    const works = [
      (): never => {
        throw mistake;
      },
      (): Promise<never> => Promise.reject(mistake),
    ];
    for (const work of works) await expect(manager.withTenant(A, work)).rejects.toBe(mistake);
    expect(manager.counts).toEqual({ open: 1, inUse: 0, waiting: 0 });
  });

  it("given a database kept beyond its lease, when it is used, then it says that the lease has ended", async () => {
    await make();
    const kept = await manager.withTenant(A, (db) => db);
    for (const use of [() => kept.get("SELECT 1"), () => kept.exec("SELECT 1"), () => kept.transaction(() => 1)]) {
      expect(use).toThrow(coded("DB_CLOSED"));
    }
  });

  it("given as many open as may be, when one more is used, then the least recently used is closed", async () => {
    await make();
    await manager.withTenant(A, write("a"));
    await manager.withTenant(B, write("b"));
    await manager.withTenant(A, read);
    await manager.withTenant(C, write("c"));
    expect(closures()).toEqual([{ tenant_id: "b", reason: "least_recently_used" }]);
    expect(await manager.withTenant(B, read)).toEqual(["b"]);
    expect(manager.counts.open).toBe(2);
  });

  it("given the least recently used in use, when room is needed, then another is closed, and that one works on", async () => {
    await make();
    const release = await hold(A);
    await manager.withTenant(B, write("b"));
    await manager.withTenant(C, write("c"));
    expect(closures()).toEqual([{ tenant_id: "b", reason: "least_recently_used" }]);
    await release();
  });

  it("given all in use, when one more tenant comes, then it waits until one is free", async () => {
    await make();
    const releases = [await hold(A), await hold(B)];
    const waiting = manager.withTenant(C, write("c"));
    await Promise.resolve();
    expect(manager.counts).toEqual({ open: 2, inUse: 2, waiting: 1 });
    await releases[1]?.();
    expect(await waiting).toBe(1);
    expect(closures()).toEqual([{ tenant_id: "b", reason: "least_recently_used" }]);
    await releases[0]?.();
  });

  it("given all in use for too long, when one more tenant waits, then it is refused with a time to try again", async () => {
    await make({ waitTimeoutMs: 500 });
    const releases = [await hold(A), await hold(B)];
    const waiting = manager.withTenant(C, read);
    await Promise.resolve();
    ports.clock.advance(500);
    await expect(waiting).rejects.toEqual(coded("DB_LIMIT", { retryAfterMs: 1000 }));
    for (const release of releases) await release();
  });

  it("given a tenant in use that is asked for without end, when another waits, then nobody overtakes it", async () => {
    await make({ maxOpen: 1 });
    const release = await hold(A);
    const order: string[] = [];
    const other = manager.withTenant(B, () => order.push("b"));
    const more = manager.withTenant(A, () => order.push("a"));
    await release();
    await Promise.all([other, more]);
    expect(order).toEqual(["b", "a"]);
  });

  it("given several leases of one tenant, when one ends, then the database stays open for the others", async () => {
    await make({ maxOpen: 1 });
    const releases = [await hold(A), await hold(A)];
    expect(manager.counts).toEqual({ open: 1, inUse: 1, waiting: 0 });
    await releases[0]?.();
    expect(manager.counts.inUse).toBe(1);
    await releases[1]?.();
    expect(manager.counts.inUse).toBe(0);
  });

  it("given databases that nobody uses, when the idle time is over, then they are closed, and those in use are not", async () => {
    await make({ idleTimeoutMs: 1000 });
    const release = await hold(A);
    await manager.withTenant(B, write("b"));
    ports.clock.advance(900);
    expect(manager.counts.open).toBe(2);
    ports.clock.advance(350);
    expect(closures()).toEqual([{ tenant_id: "b", reason: "idle" }]);
    await release();
    ports.clock.advance(1250);
    expect(manager.counts.open).toBe(0);
    expect(await manager.withTenant(B, read)).toEqual(["b"]);
  });

  it("given a database that is open for long, when a lease ends, then its idle time begins then", async () => {
    await make({ idleTimeoutMs: 1000 });
    const release = await hold(A);
    ports.clock.advance(10_000);
    await release();
    ports.clock.advance(750);
    expect(manager.counts.open).toBe(1);
    ports.clock.advance(500);
    expect(manager.counts.open).toBe(0);
  });

  it("given leases that run and wait, when a tenant is closed, then it waits for the first, refuses new ones, and is closed during the work", async () => {
    await make({ maxOpen: 1 });
    await manager.withTenant(A, write("old"));
    const releases = [await hold(A), await hold(A)];
    const waiting = manager.withTenant(B, write("b"));
    const refused = manager.withTenant(A, read);
    const order: string[] = [];
    const closed = manager.closeTenant(A, async () => {
      order.push("closed");
      rmSync(folder.file("tenants", "a"), { recursive: true });
      await expect(manager.withTenant(A, read)).rejects.toEqual(coded("DB_CLOSED", { retryAfterMs: 1000 }));
      await expect(manager.closeTenant(A)).rejects.toEqual(coded("DB_CLOSED"));
    });
    for (const release of releases) {
      expect(order).toEqual([]);
      await release();
    }
    expect(await waiting).toBe(1);
    await expect(refused).rejects.toEqual(coded("DB_CLOSED"));
    await closed;
    expect(order).toEqual(["closed"]);
    expect(closures()).toContainEqual({ tenant_id: "a", reason: "requested" });
    expect(await manager.withTenant(A, read)).toEqual([]);
  });

  it("given a tenant that is being closed while others wait, when it is asked for, then that is refused at once", async () => {
    await make({ maxOpen: 1 });
    const release = await hold(A);
    const waiting = manager.withTenant(B, read);
    const closed = manager.closeTenant(A);
    await expect(manager.withTenant(A, read)).rejects.toEqual(coded("DB_CLOSED", { retryAfterMs: 1000 }));
    await release();
    expect(await waiting).toEqual([]);
    await closed;
  });

  it("given work that throws while a tenant is closed, when it is over, then the caller is told and leases go on", async () => {
    await make();
    const mistake = new Error("mine");
    await manager.withTenant(B, write("b"));
    await expect(manager.closeTenant(A, () => Promise.reject(mistake))).rejects.toBe(mistake);
    expect(closures()).toEqual([]);
    expect(await manager.withTenant(A, write("a"))).toBe(1);
  });

  it("given a file that could not be opened, when its tenant is closed to restore it, then the next lease tries at once", async () => {
    await make({ reopenDelayMs: 1000 });
    const file = folder.file("tenants", "a", "main.db");
    await manager.withTenant(A, write("a"));
    await manager.closeTenant(A, () => writeFileSync(file, "no database, though it is long enough".repeat(100)));
    await expect(manager.withTenant(A, read)).rejects.toEqual(coded("DB_CORRUPT"));
    await manager.closeTenant(A, () => rmSync(file));
    expect(await manager.withTenant(A, read)).toEqual([]);
  });

  it("given a tenant that is being closed, when the manager is drained or closed, then it does not wait for ever", async () => {
    for (const end of ["drain", "close"] as const) {
      await make();
      const release = await hold(A);
      const closed = manager.closeTenant(A);
      const ended = manager[end]();
      await release();
      await Promise.all([closed, ended]);
      await expect(manager.closeTenant(A)).rejects.toEqual(coded("DB_CLOSED"));
    }
  });

  it("given a drain, when leases run, then they end first, those that wait and come are refused, and all is closed", async () => {
    await make({ maxOpen: 1 });
    const work = Promise.withResolvers<void>();
    const running = manager.withTenant(A, async (db) => {
      await work.promise;
      return write("late")(db);
    });
    const waiting = manager.withTenant(B, read);
    const drained = manager.drain();
    await expect(waiting).rejects.toEqual(coded("DB_CLOSED"));
    await expect(manager.withTenant(A, read)).rejects.toEqual(coded("DB_CLOSED"));
    expect(manager.counts.open).toBe(1);
    work.resolve();
    expect(await running).toBe(1);
    await drained;
    expect(manager.counts).toEqual({ open: 0, inUse: 0, waiting: 0 });
    expect(ports.clock.pending).toBe(0);
    expect(existsSync(folder.file("tenants", "a", "main.db-wal"))).toBe(false);
  });

  it("given a drain whose signal aborts, when a lease does not end, then its database is closed under it", async () => {
    await make();
    const work = Promise.withResolvers<void>();
    const stuck = manager.withTenant(A, async (db) => {
      write("committed")(db);
      await work.promise;
      return write("too late")(db);
    });
    const abort = new AbortController();
    const drained = manager.drain({ signal: abort.signal });
    abort.abort();
    await drained;
    expect(manager.counts.open).toBe(0);
    work.resolve();
    await expect(stuck).rejects.toEqual(coded("DB_CLOSED"));
    await make();
    expect(await manager.withTenant(A, read)).toEqual(["committed"]);
  });

  it("given leases that run and wait, a tenant that is being closed and a drain, when it is closed, then nothing waits any longer", async () => {
    await make({ maxOpen: 1 });
    const release = await hold(A);
    const refused = expect(manager.withTenant(B, read)).rejects.toEqual(coded("DB_CLOSED"));
    const closed = manager.closeTenant(A);
    await manager.close();
    await Promise.all([refused, closed]);
    expect([manager.counts, ports.clock.pending]).toEqual([{ open: 0, inUse: 0, waiting: 0 }, 0]);
    await release();

    await make();
    const releaseAgain = await hold(A);
    const drained = manager.drain();
    await manager.close();
    await drained;
    await releaseAgain();
  });

  it("given a signal that has aborted before, when a lease does not end, then the drain does not wait for it", async () => {
    await make();
    const release = await hold(A);
    await manager.drain({ signal: AbortSignal.abort() });
    expect(manager.counts.open).toBe(0);
    await release();
  });

  it("given a signal that outlives many managers, when they have drained, then none of them listens to it", async () => {
    const { signal } = new AbortController();
    await make();
    const release = await hold(A);
    const drained = manager.drain({ signal });
    expect(getEventListeners(signal, "abort")).toHaveLength(1);
    await release();
    await drained;
    expect(getEventListeners(signal, "abort")).toHaveLength(0);
  });

  it("given a manager in any state, when its life cycle is called again, then nothing breaks", async () => {
    manager = new TenantConnectionManager({ dataDir: folder.path }, ports);
    await expect(manager.withTenant(A, () => 1)).rejects.toEqual(coded("DB_CLOSED"));
    await manager.start();
    await manager.start();
    expect(ports.clock.pending).toBe(1);
    await Promise.all([manager.drain(), manager.drain()]);
    await manager.drain({ signal: AbortSignal.abort() });
    await manager.close();
    await manager[Symbol.asyncDispose]();
    await expect(manager.start()).rejects.toEqual(coded("DB_CLOSED"));
    expect(ports.clock.pending).toBe(0);
  });

  it("given a tenant whose file is no database, when it is used, then only its own operations fail", async () => {
    await make({ reopenDelayMs: 1000 });
    await manager.withTenant(A, write("a"));
    await manager.withTenant(B, write("b"));
    ports.clock.advance(100_000);
    writeFileSync(folder.file("tenants", "a", "main.db"), "no database, though it is long enough for one".repeat(100));
    await expect(manager.withTenant(A, read)).rejects.toEqual(coded("DB_CORRUPT"));
    await expect(manager.withTenant(A, read)).rejects.toEqual(coded("DB_CORRUPT"));
    expect(await manager.withTenant(B, read)).toEqual(["b"]);
    expect(manager.counts).toEqual({ open: 1, inUse: 0, waiting: 0 });
  });

  it("given migrations that fail, when a tenant is used again and again, then they are not run each time", async () => {
    let runs = 0;
    const bad: Migration = {
      version: 1,
      name: "bad",
      up: () => {
        runs++;
        throw new Error("not this time");
      },
    };
    await make({ migrations: [bad], reopenDelayMs: 1000 });
    for (let i = 0; i < 5; i++) await expect(manager.withTenant(A, read)).rejects.toEqual(coded("MIGRATION_FAILED"));
    expect(runs).toBe(1);
    ports.clock.advance(1000);
    await expect(manager.withTenant(A, read)).rejects.toEqual(coded("MIGRATION_FAILED"));
    expect(runs).toBe(2);
  });

  it("given a tenant that fills the size allowed to it, when it writes on, then it alone is told so", async () => {
    await make({ maxDatabaseBytes: 65_536 });
    const fill = (db: SqlDatabase): void => {
      for (let i = 0; i < 100; i++) write("x".repeat(2000))(db);
    };
    await expect(manager.withTenant(A, fill)).rejects.toEqual(coded("DB_FULL"));
    expect(await manager.withTenant(A, read)).not.toHaveLength(0);
    expect(await manager.withTenant(B, write("b"))).toBe(1);
  });
});
