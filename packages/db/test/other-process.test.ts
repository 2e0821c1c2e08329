import { DatabaseSync } from "node:sqlite";
import { parseTenantId, silentLogger, systemClock } from "@pm/core";
import { describe, expect, it, vi } from "vitest";
import { type SqlDatabase, TenantConnectionManager, TenantDirectory, TenantLookup } from "../src/index.ts";
import { Child } from "./child.ts";
import { coded } from "./coded.ts";
import { PAIRS } from "./pairs.ts";
import { TemporaryFolder } from "./temporary-folder.ts";

const ports = { clock: systemClock, logger: silentLogger };
const acme = parseTenantId("acme");

function write(db: SqlDatabase): number {
  return db.run("INSERT INTO pairs VALUES (1, 'first', NULL)").changes;
}

describe("several processes", () => {
  it("given a process that has written and ended, when another starts, then it finds everything", async () => {
    using folder = new TemporaryFolder();
    expect(await new Child("fill.ts", folder.path).finished()).toEqual([]);
    const [line = ""] = await new Child("read.ts", folder.path).finished();
    expect(JSON.parse(line)).toEqual({
      tenants: [
        expect.objectContaining({
          tenant: "Acme",
          state: "active",
          displayName: "Acme",
          limits: { maxConnections: 7, bytesPerSec: 0 },
        }),
        expect.objectContaining({ tenant: "bolt", state: "suspended", limits: {} }),
      ],
      upper: [{ number: 1, part: "first" }],
      lower: [],
    });
  });

  it("given a process killed in the middle of writing, when another starts, then all that was committed is there, whole", async () => {
    using folder = new TemporaryFolder();
    for (let round = 0; round < 3; round++) {
      await using writer = new Child("write-without-end.ts", folder.path);
      await vi.waitFor(() => expect(writer.lines.length).toBeGreaterThan(30 + 17 * round), {
        timeout: 10_000,
        interval: 1,
      });
      await writer.kill();
      const committed = writer.lines.map(Number);
      await using manager = new TenantConnectionManager({ dataDir: folder.path, migrations: PAIRS }, ports);
      await manager.start();
      const [even, odd] = await Promise.all(
        ["even", "odd"].map((tenant) => manager.withTenant(parseTenantId(tenant), soundNumbersIn)),
      );
      expect([...(even ?? []), ...(odd ?? [])]).toEqual(expect.arrayContaining(committed));
    }
  });

  it("given a server, when another process suspends a tenant, then within 2 s it is told and nobody gets in", async () => {
    using folder = new TemporaryFolder();
    await using directory = new TenantDirectory({ dataDir: folder.path }, ports);
    await directory.start();
    await directory.create(acme);
    await using lookup = new TenantLookup(directory, {}, ports);
    expect((await lookup.assertActive(acme)).state).toBe("active");
    const told = Promise.withResolvers<number>();
    directory.subscribe((change) => {
      if (change.kind === "saved" && change.record.state === "suspended") told.resolve(performance.now());
    });
    const child = new Child("suspend.ts", folder.path);
    await vi.waitFor(() => expect(child.lines).toEqual(["suspended"]), { timeout: 10_000, interval: 5 });
    const suspendedAt = performance.now();
    expect((await told.promise) - suspendedAt).toBeLessThan(2000);
    await expect(lookup.assertActive(acme)).rejects.toEqual(coded("TENANT_SUSPENDED"));
    await child.finished();
  });

  it("given another program that holds a tenant's lock, when the tenant writes, then it alone is refused for now", async () => {
    using folder = new TemporaryFolder();
    await using manager = new TenantConnectionManager(
      { dataDir: folder.path, migrations: PAIRS, busyTimeoutMs: 20 },
      ports,
    );
    await manager.start();
    await manager.withTenant(acme, write);
    using holder = new DatabaseSync(folder.file("tenants", "acme", "main.db"));
    holder.exec("BEGIN IMMEDIATE");
    await expect(manager.withTenant(acme, write)).rejects.toEqual(coded("DB_BUSY", { retryAfterMs: 1000 }));
    expect(await manager.withTenant(parseTenantId("bolt"), write)).toBe(1);
    holder.exec("COMMIT");
    expect(await manager.withTenant(acme, write)).toBe(1);
  });
});

/** The numbers of the pairs in a database, after SQLite has found it intact and no pair has come apart. */
function soundNumbersIn(db: SqlDatabase): number[] {
  expect(db.all("PRAGMA integrity_check")).toEqual([{ integrity_check: "ok" }]);
  const incomplete = db.all("SELECT number FROM pairs GROUP BY number HAVING count(*) % 2 <> 0");
  expect(incomplete).toEqual([]);
  return db.all("SELECT DISTINCT number FROM pairs").map((row) => Number(row["number"]));
}
