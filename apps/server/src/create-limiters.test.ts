import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseTenantId, type TenantId } from "@pm/core";
import { ManualClock, RecordingLogger } from "@pm/core/testing";
import { TenantDirectory } from "@pm/db";
import { afterEach, beforeEach, expect, it } from "vitest";
import { readConfig } from "./config/read-config.ts";
import { createLimiters, type Limiters } from "./create-limiters.ts";
import { TenantAdmission } from "./tenants/tenant-admission.ts";

const CONFIGURED = parseTenantId("configured");
const UNLIMITED = parseTenantId("unlimited");
const SMALL = parseTenantId("small");

let dataDir: string;
let clock: ManualClock;
let directory: TenantDirectory;
let admission: TenantAdmission;

beforeEach(async () => {
  dataDir = mkdtempSync(join(tmpdir(), "pm-limiters-"));
  clock = new ManualClock();
  const logger = new RecordingLogger();
  directory = new TenantDirectory({ dataDir }, { clock, logger });
  admission = new TenantAdmission(directory, { clock, logger });
  await directory.start();
  await directory.create(CONFIGURED);
  await directory.create(UNLIMITED, { limits: { publicationsPerSec: 0, bytesPerSec: 0 } });
  await directory.create(SMALL, { limits: { publicationsPerSec: 1 } });
  for (const tenant of [CONFIGURED, UNLIMITED, SMALL]) await admission.assertActive({ tenant });
});

afterEach(async () => {
  await directory.close();
  rmSync(dataDir, { recursive: true });
});

function limitersFor(env: Readonly<Record<string, string>>, withDirectory = true): Limiters {
  const secret = { JWT_SECRET: "a-secret-of-more-than-thirty-two-bytes" };
  const config = readConfig({ ...secret, ...env }, { stdoutIsTerminal: false, openFileLimit: undefined });
  return createLimiters(config, withDirectory ? admission : undefined, clock);
}

/** How many publications at once a tenant may make, of so many that it tries. */
function allowed({ tenantPublications }: Limiters, tenant: TenantId, tried: number): number {
  return Array.from({ length: tried }, () => tenantPublications?.check(tenant) ?? 0).filter((wait) => wait === 0)
    .length;
}

it("given tenants with quotas of their own, when they publish, then theirs count, and none is what 0 says", () => {
  const limiters = limitersFor({ TENANT_PUBLICATIONS_PER_SEC: "3" });
  expect([CONFIGURED, UNLIMITED, SMALL].map((tenant) => allowed(limiters, tenant, 10))).toEqual([3, 10, 1]);
  const none = limitersFor({});
  expect([CONFIGURED, UNLIMITED, SMALL].map((tenant) => allowed(none, tenant, 10))).toEqual([10, 10, 1]);
});

it("given a quota of bytes below the largest message, when such a message comes, then it passes, and the next waits", () => {
  const { tenantBytes } = limitersFor({ TENANT_BYTES_PER_SEC: "1000", MAX_MESSAGE_BYTES: "5000" });
  expect(tenantBytes?.check(CONFIGURED, 5000)).toBe(0);
  expect(tenantBytes?.check(CONFIGURED, 1)).toBeGreaterThan(0);
  expect(tenantBytes?.check(UNLIMITED, 1_000_000)).toBe(0);
});

it("given no quota and no directory, when limiters are made, then tenants have none", () => {
  const { tenantPublications, tenantBytes } = limitersFor({}, false);
  expect([tenantPublications, tenantBytes]).toEqual([undefined, undefined]);
});

it("given a limit of subscriptions, when a client comes back, then twice as many pass, and 20 a second after that", () => {
  const limiter = limitersFor({ MAX_SUBSCRIPTIONS: "10" }).subscribeLimiters.create();
  const passing = (): number => {
    let passed = 0;
    while (limiter.check() === 0) passed++;
    return passed;
  };
  expect(passing()).toBe(20);
  clock.advance(500);
  expect(passing()).toBe(10);
});
