import { parseTenantId, type TenantId } from "@pm/core";
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type TenantChange, TenantDirectory, TenantError, type TenantLimits, type TenantState } from "../src/index.ts";
import { manualPorts } from "./manual-ports.ts";
import { TemporaryFolder } from "./temporary-folder.ts";

const tenant = fc.constantFrom(...["acme", "Acme", "a.b", "a-b", "z"].map(parseTenantId));
const limits = fc.record(
  { maxConnections: fc.integer({ min: 1, max: 9 }), bytesPerSec: fc.nat(9) },
  { requiredKeys: [] },
);
type Action =
  | { readonly kind: "create" | "update"; readonly tenant: TenantId; readonly limits: TenantLimits }
  | { readonly kind: "suspend" | "resume" | "delete"; readonly tenant: TenantId }
  | { readonly kind: "poll" | "restart" };
const action: fc.Arbitrary<Action> = fc.oneof(
  fc.record({ kind: fc.constantFrom("create" as const, "update" as const), tenant, limits }),
  fc.record({ kind: fc.constantFrom("suspend" as const, "resume" as const, "delete" as const), tenant }),
  fc.record({ kind: fc.constantFrom("poll" as const, "restart" as const) }),
);
const step = fc.record({ by: fc.nat(1), action });

interface Known {
  state: TenantState;
  limits: TenantLimits;
}

/** What the directory ought to know; says whether the action succeeds. */
function apply(model: Map<TenantId, Known>, done: Action): boolean {
  if (!("tenant" in done)) return true;
  const known = model.get(done.tenant);
  if ((known === undefined) !== (done.kind === "create")) return false;
  if (done.kind === "create") model.set(done.tenant, { state: "active", limits: done.limits });
  else if (done.kind === "delete") model.delete(done.tenant);
  else if (known !== undefined && done.kind === "update") known.limits = { ...known.limits, ...done.limits };
  else if (known !== undefined) known.state = done.kind === "suspend" ? "suspended" : "active";
  return true;
}

async function run(directory: TenantDirectory, done: Action): Promise<unknown> {
  if (!("tenant" in done)) return undefined;
  if (done.kind === "create") return directory.create(done.tenant, { limits: done.limits });
  if (done.kind === "update") return directory.update(done.tenant, { limits: done.limits });
  return directory[done.kind](done.tenant);
}

/** All pages, one after the other. */
async function listAll(directory: TenantDirectory, limit: number): Promise<[TenantId, Known][]> {
  const all: [TenantId, Known][] = [];
  let cursor: string | undefined;
  do {
    const page = await directory.list({ limit, cursor });
    all.push(
      ...page.tenants.map((record): [TenantId, Known] => [
        record.tenant,
        { state: record.state, limits: record.limits },
      ]),
    );
    cursor = page.nextCursor;
  } while (cursor !== undefined);
  return all;
}

function sorted(model: ReadonlyMap<TenantId, Known>): [TenantId, Known][] {
  return [...model].toSorted(([a], [b]) => (a < b ? -1 : 1));
}

describe("TenantDirectory", () => {
  it("given any changes by two processes and restarts, when listed, paged and told, then all three agree with what was done", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 25 }), fc.integer({ min: 1, max: 4 }), async (steps, pageSize) => {
        using folder = new TemporaryFolder();
        const ports = manualPorts();
        const model = new Map<TenantId, Known>();
        const told = [new Map<TenantId, Known>(), new Map<TenantId, Known>()];
        const open = async (by: number): Promise<TenantDirectory> => {
          const directory = new TenantDirectory({ dataDir: folder.path }, ports);
          directory.subscribe((change) => follow(told[by], change));
          await directory.start();
          return directory;
        };
        const directories = [await open(0), await open(1)];

        for (const { by, action: done } of steps) {
          const directory = directories[by];
          if (directory === undefined) continue;
          if (done.kind === "poll") ports.clock.advance(1000);
          if (done.kind === "restart") {
            // What the others did since its last poll is not told to one who starts anew: it has nothing to correct.
            ports.clock.advance(1000);
            await directory.close();
            directories[by] = await open(by);
          }
          const succeeds = apply(model, done);
          const error: unknown = await run(directory, done).catch((cause: unknown) => cause);
          expect(error instanceof TenantError).toBe(!succeeds);
        }

        ports.clock.advance(1000);
        for (const [by, directory] of directories.entries()) {
          expect(await listAll(directory, pageSize)).toEqual(sorted(model));
          expect(sorted(told[by] ?? new Map())).toEqual(sorted(model));
          await directory.close();
        }
        expect(ports.clock.pending).toBe(0);
      }),
    );
  }, 60_000);
});

function follow(told: Map<TenantId, Known> | undefined, change: TenantChange): void {
  if (change.kind === "reset") throw new Error("too few changes for a reset");
  if (change.kind === "deleted") told?.delete(change.tenant);
  else told?.set(change.record.tenant, { state: change.record.state, limits: change.record.limits });
}
