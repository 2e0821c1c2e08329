// Writes pairs of rows for two tenants, each pair in one transaction, and prints each number once it is committed.
import { parseTenantId, silentLogger, systemClock } from "@pm/core";
import { TenantConnectionManager } from "../../src/index.ts";
import { PAIRS } from "../pairs.ts";

const dataDir = process.argv[2] ?? "";
const manager = new TenantConnectionManager(
  { dataDir, migrations: PAIRS },
  { clock: systemClock, logger: silentLogger },
);
await manager.start();
for (let number = 0; ; number++) {
  const tenant = parseTenantId(number % 2 === 0 ? "even" : "odd");
  await manager.withTenant(tenant, (db) =>
    db.transaction(() => {
      db.run("INSERT INTO pairs VALUES (?, 'first', randomblob(3000))", [number]);
      db.run("INSERT INTO pairs VALUES (?, 'second', randomblob(3000))", [number]);
    }),
  );
  process.stdout.write(`${number}\n`);
}
