import { mkdtempSync, rmSync } from "node:fs";
import { DatabaseSync } from "node:sqlite";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseTenantId, type TenantId } from "@pm/core";
import { ManualClock, RecordingLogger } from "@pm/core/testing";
import { TenantDirectory } from "@pm/db";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type ConnectedTenants, TenantAdmission } from "./tenant-admission.ts";

const acme = parseTenantId("acme");
const globex = parseTenantId("globex");

/** Connections as a count a tenant. */
class Connections implements ConnectedTenants {
  readonly #counts = new Map<TenantId, number>();
  readonly forgotten: TenantId[] = [];
  /** What forgetting fails with. */
  failure: Error | undefined;

  add(tenant: TenantId): void {
    this.#counts.set(tenant, this.of(tenant) + 1);
  }

  of(tenant: TenantId): number {
    return this.#counts.get(tenant) ?? 0;
  }

  disconnect(tenant: TenantId): number {
    const closed = this.of(tenant);
    this.#counts.delete(tenant);
    return closed;
  }

  async forget(tenant: TenantId): Promise<void> {
    if (this.failure !== undefined) throw this.failure;
    this.forgotten.push(tenant);
  }

  tenants(): Iterable<TenantId> {
    return this.#counts.keys();
  }
}

let dataDir: string;
let clock: ManualClock;
let logger: RecordingLogger;
let directory: TenantDirectory;
let admission: TenantAdmission;
let connections: Connections;
/** Another process, as far as the directory can tell. */
let other: DatabaseSync;

beforeEach(async () => {
  dataDir = mkdtempSync(join(tmpdir(), "pm-admission-"));
  clock = new ManualClock();
  logger = new RecordingLogger();
  directory = new TenantDirectory({ dataDir }, { clock, logger });
  admission = new TenantAdmission(directory, { clock, logger });
  connections = new Connections();
  admission.watch(connections);
  await directory.start();
  await directory.create(acme, { limits: { maxConnections: 2, publicationsPerSec: 7 } });
  await directory.create(globex);
  other = new DatabaseSync(join(dataDir, "directory.db"));
});

afterEach(async () => {
  await admission.close();
  await directory.close();
  other.close();
  rmSync(dataDir, { recursive: true });
  expect(clock.pending).toBe(0);
});

/** As a handshake does: the gate, then the place, then the registration, the last two in one go. */
async function connect(tenant: TenantId): Promise<void> {
  await admission.assertActive({ tenant });
  takePlace(tenant);
}

function takePlace(tenant: TenantId): void {
  admission.maxConnectionsOf(tenant);
  connections.add(tenant);
}

describe("who may connect", () => {
  it("given tenants that are active, suspended and unknown, when they come, then only the first gets in", async () => {
    await directory.suspend(globex);
    await expect(admission.assertActive({ tenant: acme })).resolves.toBeUndefined();
    await expect(admission.assertActive({ tenant: globex })).rejects.toMatchObject({ code: "TENANT_SUSPENDED" });
    await expect(admission.assertActive({ tenant: parseTenantId("nobody") })).rejects.toMatchObject({
      code: "TENANT_UNKNOWN",
    });
  });

  it("given connections, when a tenant is suspended or deleted, then its own are closed at once, and no others", async () => {
    for (const tenant of [acme, acme, globex]) await connect(tenant);
    await directory.suspend(acme);
    expect([connections.of(acme), connections.of(globex)]).toEqual([0, 1]);
    expect(admission.limitsOf(acme)).toBeUndefined();
    await directory.delete(globex);
    expect(connections.of(globex)).toBe(0);
    const expelled = logger.lines.filter(({ event }) => event === "tenant_expelled").map(({ fields }) => fields);
    expect(expelled).toEqual([
      { tenant_id: "acme", cause: "suspended", connections: 2 },
      { tenant_id: "globex", cause: "unknown", connections: 1 },
    ]);
  });

  it("given tenants, when one is suspended and one deleted, then what was published in the latter is forgotten", async () => {
    await directory.suspend(acme);
    await directory.delete(globex);
    expect(connections.forgotten).toEqual([globex]);
  });

  it("given logs that cannot be forgotten, when a tenant is deleted, then the log says so", async () => {
    connections.failure = new Error("the broker is away");
    await directory.delete(globex);
    await Promise.resolve();
    const lines = logger.lines.filter(({ event }) => event === "tenant_not_forgotten");
    expect(lines).toMatchObject([{ level: "error", fields: { tenant_id: "globex", error: connections.failure } }]);
  });

  it("given nobody is connected, when a tenant is suspended, then nothing is logged", async () => {
    await directory.suspend(acme);
    expect(logger.lines.filter(({ event }) => event === "tenant_expelled")).toEqual([]);
  });

  it("given it is closed, when a tenant is suspended, then its connections are left to whoever closes the server", async () => {
    await connect(acme);
    await admission.close();
    await directory.suspend(acme);
    expect(connections.of(acme)).toBe(1);
  });

  it("given tenants that are looked at again, when it is closed before the directory answers, then no timer is left", async () => {
    await admission.assertActive({ tenant: acme });
    await directory.suspend(acme);
    other.exec("ALTER TABLE tenants RENAME TO elsewhere");
    takePlace(acme);
    // The look begins in a microtask of its own, and is under way when it is closed.
    await Promise.resolve();
    const closed = admission.close();
    await expect.poll(() => logger.lines.some(({ event }) => event === "tenant_review_failed")).toBe(true);
    await closed;
    clock.advance(500);
    expect(logger.lines.filter(({ event }) => event === "tenant_review_failed")).toHaveLength(1);
  });

  it.each(["suspend", "delete"] as const)(
    "given a tenant that was let in, when %s comes before its connection is registered, then the connection is closed",
    async (change) => {
      await admission.assertActive({ tenant: acme });
      await directory[change](acme);
      takePlace(acme);
      expect(connections.of(acme)).toBe(1);
      await expect.poll(() => connections.of(acme)).toBe(0);
    },
  );

  it("given such a connection, when the directory cannot be read, then it is asked again until it can", async () => {
    await admission.assertActive({ tenant: acme });
    await directory.suspend(acme);
    other.exec("ALTER TABLE tenants RENAME TO elsewhere");
    takePlace(acme);
    await expect.poll(() => logger.lines.some(({ event }) => event === "tenant_review_failed")).toBe(true);
    expect(connections.of(acme)).toBe(1);
    other.exec("ALTER TABLE elsewhere RENAME TO tenants");
    clock.advance(500);
    await expect.poll(() => connections.of(acme)).toBe(0);
  });

  it("given a change of another process, when a second has passed, then its connections are closed", async () => {
    await connect(acme);
    other.exec("UPDATE tenants SET state = 'suspended' WHERE tenant_id = 'acme'");
    expect(connections.of(acme)).toBe(1);
    clock.advance(1_000);
    expect(connections.of(acme)).toBe(0);
  });

  it("given more changes than are remembered, when they are told as a reset, then every connected tenant is looked at again", async () => {
    const many = Array.from({ length: 250 }, (_, n) => parseTenantId(`t-${n}`));
    for (const tenant of many) await directory.create(tenant);
    for (const tenant of [...many, acme, globex]) await connect(tenant);
    other.exec(`
      UPDATE tenants SET state = 'suspended' WHERE tenant_id IN ('acme', 't-7');
      DELETE FROM tenants WHERE tenant_id = 't-249';
      UPDATE tenants SET publications_per_sec = 9 WHERE tenant_id = 'globex';
      WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 10001)
      INSERT INTO tenant_changes (tenant_id) SELECT 'nobody' FROM n;
    `);
    clock.advance(1_000);
    await expect
      .poll(() => [connections.of(acme), connections.of(many[7] ?? acme), connections.of(many[249] ?? acme)])
      .toEqual([0, 0, 0]);
    expect([...connections.tenants()]).toHaveLength(249);
    expect(admission.limitsOf(globex)).toEqual({ publicationsPerSec: 9 });
  });
});

describe("the limits of connected tenants", () => {
  it("given a connected tenant, when what the look-up knows has long expired, then its limits still hold", async () => {
    await connect(acme);
    for (let n = 0; n < 300; n += 1) clock.advance(1_000);
    expect(admission.limitsOf(acme)).toMatchObject({ maxConnections: 2, publicationsPerSec: 7 });
    expect(admission.maxConnectionsOf(acme)).toBe(2);
  });

  it("given a connected tenant, when its limits change here or elsewhere, then the new ones hold", async () => {
    await connect(acme);
    await directory.update(acme, { limits: { publicationsPerSec: 8, maxConnections: null } });
    expect(admission.limitsOf(acme)).toEqual({ publicationsPerSec: 8 });
    other.exec("UPDATE tenants SET publications_per_sec = 9 WHERE tenant_id = 'acme'");
    clock.advance(1_000);
    expect(admission.limitsOf(acme)).toEqual({ publicationsPerSec: 9 });
  });

  it("given tenants that are no longer connected, when a minute has passed, then nothing is kept of them", async () => {
    await connect(acme);
    await connect(globex);
    connections.disconnect(acme);
    clock.advance(60_000);
    expect([admission.limitsOf(acme), admission.limitsOf(globex)]).toEqual([undefined, {}]);
  });

  it("given a tenant that never came, when its limits are asked for, then there are none", () => {
    expect(admission.limitsOf("acme")).toBeUndefined();
  });
});
