import { parseTenantId, type TenantId } from "@pm/core";
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type Migration, type SqlDatabase, TenantConnectionManager } from "../src/index.ts";
import { manualPorts } from "./manual-ports.ts";
import { TemporaryFolder } from "./temporary-folder.ts";

const TENANTS = ["acme", "Acme", "ACME", "bolt"].map(parseTenantId);
const MAX_OPEN = 2;
const notes: Migration = { version: 1, name: "notes", up: "CREATE TABLE notes (text TEXT) STRICT" };

const tenant = fc.constantFrom(...TENANTS);
const step = fc.oneof(
  { weight: 4, arbitrary: fc.record({ kind: fc.constant("lease" as const), tenant }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant("end" as const), which: fc.nat(20) }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant("write" as const), which: fc.nat(20), fails: fc.boolean() }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("time" as const), ms: fc.nat(2000) }) },
);

/** One lease, held open until the test ends it. */
class HeldLease {
  readonly tenant: TenantId;
  readonly ended: Promise<unknown>;
  readonly #gate = Promise.withResolvers<void>();
  db: SqlDatabase | undefined;

  constructor(manager: TenantConnectionManager, leased: TenantId) {
    this.tenant = leased;
    this.ended = manager
      .withTenant(leased, (db) => {
        this.db = db;
        return this.#gate.promise;
      })
      .catch((error: unknown) => error);
  }

  end(): Promise<unknown> {
    this.#gate.resolve();
    return this.ended;
  }
}

function textsIn(db: SqlDatabase): unknown[] {
  return db.all("SELECT text FROM notes ORDER BY rowid").map((row) => row["text"]);
}

function write(db: SqlDatabase, text: string, fails: boolean): void {
  db.transaction(() => {
    db.run("INSERT INTO notes VALUES (?)", [text]);
    if (fails) throw new Error("rolled back");
  });
}

describe("TenantConnectionManager", () => {
  it("given any leases, when they write, then each sees its own tenant's rows only, is never closed, and nothing is lost", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 30 }), async (steps) => {
        using folder = new TemporaryFolder();
        const ports = manualPorts();
        const options = { dataDir: folder.path, migrations: [notes], maxOpen: MAX_OPEN, idleTimeoutMs: 1000 };
        const committed = new Map<TenantId, string[]>(TENANTS.map((id) => [id, []]));
        const manager = new TenantConnectionManager({ ...options, waitTimeoutMs: 3000 }, ports);
        await manager.start();
        const leases: HeldLease[] = [];

        for (const [number, next] of steps.entries()) {
          const granted = leases.filter(({ db }) => db !== undefined);
          const chosen = "which" in next ? granted[next.which % granted.length] : undefined;
          if (next.kind === "lease") {
            leases.push(new HeldLease(manager, next.tenant));
          } else if (next.kind === "end") {
            await chosen?.end();
            if (chosen !== undefined) leases.splice(leases.indexOf(chosen), 1);
          } else if (next.kind === "time") {
            ports.clock.advance(next.ms);
          } else if (chosen?.db !== undefined) {
            const text = `${chosen.tenant} ${number}`;
            if (next.fails) expect(() => chosen.db && write(chosen.db, text, true)).toThrow("rolled back");
            else write(chosen.db, text, false);
            if (!next.fails) committed.get(chosen.tenant)?.push(text);
          }
          await new Promise((resolve) => setImmediate(resolve));
          expect(manager.counts.open).toBeLessThanOrEqual(MAX_OPEN);
          for (const { tenant: leased, db } of leases) {
            if (db !== undefined) expect(textsIn(db)).toEqual(committed.get(leased));
          }
        }

        const drained = manager.drain();
        for (const lease of leases) await lease.end();
        await drained;
        expect([manager.counts.open, ports.clock.pending]).toEqual([0, 0]);

        await using restarted = new TenantConnectionManager(options, ports);
        await restarted.start();
        for (const [id, texts] of committed) expect(await restarted.withTenant(id, textsIn)).toEqual(texts);
      }),
    );
  }, 60_000);
});
