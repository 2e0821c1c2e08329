// Makes a tenant with limits, suspends another, writes one pair, and ends in order.
import { parseTenantId, silentLogger, systemClock } from "@pm/core";
import { TenantConnectionManager, TenantDirectory } from "../../src/index.ts";
import { PAIRS } from "../pairs.ts";

const dataDir = process.argv[2] ?? "";
const ports = { clock: systemClock, logger: silentLogger };
const acme = parseTenantId("Acme");
await using directory = new TenantDirectory({ dataDir }, ports);
await directory.start();
await directory.create(acme, { displayName: "Acme", limits: { maxConnections: 7, bytesPerSec: 0 } });
await directory.create(parseTenantId("bolt"));
await directory.suspend(parseTenantId("bolt"));
await using manager = new TenantConnectionManager({ dataDir, migrations: PAIRS }, ports);
await manager.start();
await manager.withTenant(acme, (db) => db.run("INSERT INTO pairs VALUES (1, 'first', NULL)"));
