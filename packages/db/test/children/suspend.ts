// Suspends a tenant, as an operator's tool would beside the server.
import { parseTenantId, silentLogger, systemClock } from "@pm/core";
import { TenantDirectory } from "../../src/index.ts";

await using directory = new TenantDirectory(
  { dataDir: process.argv[2] ?? "" },
  { clock: systemClock, logger: silentLogger },
);
await directory.start();
await directory.suspend(parseTenantId("acme"));
process.stdout.write("suspended\n");
