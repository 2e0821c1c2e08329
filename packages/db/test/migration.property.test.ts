import { parseTenantId } from "@pm/core";
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type Migration, type SqlDatabase, TenantConnectionManager } from "../src/index.ts";
import { manualPorts } from "./manual-ports.ts";
import { TemporaryFolder } from "./temporary-folder.ts";

const acme = parseTenantId("acme");
const MOST = 6;

/** The order in which steps ran can be read from the rows that each adds. */
function steps(count: number, failing?: number): Migration[] {
  return Array.from({ length: count }, (_, index) => {
    const version = index + 1;
    const up =
      version === 1
        ? "CREATE TABLE ran (version INTEGER)"
        : `CREATE TABLE t${version} (x); INSERT INTO ran VALUES (${version})`;
    return { version, name: `step ${version}`, up: version === failing ? `${up}; INSERT INTO nowhere VALUES (1)` : up };
  });
}

function content(db: SqlDatabase): unknown {
  return {
    schema: db.all("SELECT name, sql FROM sqlite_schema ORDER BY name"),
    ran: db.all("SELECT version FROM ran ORDER BY rowid"),
    recorded: db.all("SELECT version, name FROM pm_migrations ORDER BY version"),
  };
}

async function deploy(dataDir: string, migrations: readonly Migration[]): Promise<unknown> {
  await using manager = new TenantConnectionManager({ dataDir, migrations }, manualPorts());
  await manager.start();
  return await manager.withTenant(acme, content);
}

describe("migrations", () => {
  it("given releases in any number, some of them failing, when all are deployed, then the database is as from the last alone", async () => {
    const release = fc.record({
      count: fc.integer({ min: 1, max: MOST }),
      failing: fc.integer({ min: 1, max: 2 * MOST }),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(release, { maxLength: 5 }), async (releases) => {
        using one = new TemporaryFolder();
        using other = new TemporaryFolder();
        let version = 0;
        for (const { count, failing } of releases) {
          const outcome = await deploy(one.path, steps(count, failing)).catch((error: { code: string }) => error.code);
          if (count < version) expect(outcome).toBe("DB_TOO_NEW");
          else if (failing > version && failing <= count) expect(outcome).toBe("MIGRATION_FAILED");
          else version = count;
        }
        expect(await deploy(one.path, steps(MOST))).toEqual(await deploy(other.path, steps(MOST)));
      }),
    );
  }, 60_000);
});
