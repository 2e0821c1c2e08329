// Prints what a process that starts anew finds.
import { parseTenantId, silentLogger, systemClock } from "@pm/core";
import { TenantConnectionManager, TenantDirectory } from "../../src/index.ts";
import { PAIRS } from "../pairs.ts";

const dataDir = process.argv[2] ?? "";
const ports = { clock: systemClock, logger: silentLogger };
await using directory = new TenantDirectory({ dataDir }, ports);
await directory.start();
const { tenants } = await directory.list();
await using manager = new TenantConnectionManager({ dataDir, migrations: PAIRS }, ports);
await manager.start();
const read = (tenant: string): Promise<unknown> =>
  manager.withTenant(parseTenantId(tenant), (db) => db.all("SELECT number, part FROM pairs"));
process.stdout.write(`${JSON.stringify({ tenants, upper: await read("Acme"), lower: await read("acme") })}\n`);
