import { parseTenantId, type TenantId } from "@pm/core";
import { ManualClock } from "@pm/core/testing";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { coded } from "../test/coded.ts";
import type { TenantChange, TenantChangeListener } from "./tenant-change.ts";
import { TenantLookup } from "./tenant-lookup.ts";
import type { TenantLookupOptions } from "./tenant-lookup-options.ts";
import type { TenantRecord } from "./tenant-record.ts";
import type { TenantSource } from "./tenant-source.ts";

const acme = parseTenantId("acme");
const tenants = (count: number): TenantId[] => Array.from({ length: count }, (_, i) => parseTenantId(`t${i}`));
const record = (tenant: TenantId, state: TenantRecord["state"] = "active"): TenantRecord => ({
  tenant,
  state,
  limits: { maxConnections: 3 },
  createdAtMs: 1,
  updatedAtMs: 1,
});

/** A directory whose answers wait until the test lets them go. */
class HeldSource implements TenantSource {
  readonly records = new Map<TenantId, TenantRecord>();
  readonly questions: TenantId[][] = [];
  readonly #listeners = new Set<TenantChangeListener>();
  held: { readonly promise: Promise<void>; readonly resolve: () => void } | undefined;
  atOnce = 0;
  mostAtOnce = 0;

  get listeners(): number {
    return this.#listeners.size;
  }

  async findMany(asked: readonly TenantId[]): Promise<ReadonlyMap<TenantId, TenantRecord>> {
    this.questions.push([...asked]);
    this.mostAtOnce = Math.max(this.mostAtOnce, ++this.atOnce);
    const found = new Map(asked.flatMap((tenant) => [...this.#entry(tenant)]));
    await this.held?.promise;
    this.atOnce--;
    return found;
  }

  subscribe(listener: TenantChangeListener): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  save(saved: TenantRecord): void {
    this.records.set(saved.tenant, saved);
    this.tell({ kind: "saved", record: saved });
  }

  tell(change: TenantChange): void {
    for (const listener of this.#listeners) listener(change);
  }

  *#entry(tenant: TenantId): Iterable<[TenantId, TenantRecord]> {
    const found = this.records.get(tenant);
    if (found !== undefined) yield [tenant, found];
  }
}

describe("TenantLookup", () => {
  let clock: ManualClock;
  let source: HeldSource;
  let lookup: TenantLookup;

  const make = (options: TenantLookupOptions = {}): void => {
    lookup = new TenantLookup(source, options, { clock });
  };

  beforeEach(() => {
    clock = new ManualClock();
    source = new HeldSource();
  });

  afterEach(() => lookup.close());

  it("given tenants that are active, suspended and unknown, when they are asked for, then only the first may connect", async () => {
    make();
    const [active, suspended, unknown] = tenants(3) as [TenantId, TenantId, TenantId];
    source.save(record(active));
    source.save(record(suspended, "suspended"));
    expect(await lookup.assertActive(active)).toEqual(record(active));
    await expect(lookup.assertActive(suspended)).rejects.toEqual(coded("TENANT_SUSPENDED"));
    await expect(lookup.assertActive(unknown)).rejects.toEqual(coded("TENANT_UNKNOWN"));
    await expect(lookup.assertActive("../x" as TenantId)).rejects.toEqual(coded("INVALID_NAME"));
  });

  it("given an answer, when it is asked for again, then the directory is not, until the answer is old", async () => {
    make({ cacheMs: 1000, unknownCacheMs: 100 });
    source.save(record(acme));
    const unknown = parseTenantId("unknown");
    const ask = (): Promise<unknown> => Promise.allSettled([lookup.assertActive(acme), lookup.assertActive(unknown)]);
    await ask();
    await ask();
    expect(source.questions).toEqual([[acme, unknown]]);
    clock.advance(100);
    await ask();
    expect(source.questions.slice(1)).toEqual([[unknown]]);
    clock.advance(900);
    await ask();
    expect(source.questions.slice(2)).toEqual([[acme, unknown]]);
  });

  it("given one tenant with many connections at once, when they are asked for, then it is looked up once", async () => {
    make();
    source.save(record(acme));
    const answers = await Promise.all(Array.from({ length: 500 }, () => lookup.assertActive(acme)));
    expect(answers).toHaveLength(500);
    expect(source.questions).toEqual([[acme]]);
    expect(lookup.pending).toBe(0);
  });

  it("given a storm of tenants, when they are asked for, then few questions are put, and not too many at once", async () => {
    make({ maxConcurrent: 2, maxPending: 1000 });
    const all = tenants(1000);
    for (const tenant of all) source.save(record(tenant));
    await Promise.all(all.map((tenant) => lookup.assertActive(tenant)));
    expect(source.questions.flat().toSorted()).toEqual(all.toSorted());
    expect(source.questions.length).toBe(10);
    expect(source.mostAtOnce).toBeLessThanOrEqual(2);
  });

  it("given as many pending as may be, when one more comes, then it is refused at once with a time to try again", async () => {
    make({ maxPending: 150, retryAfterMs: 700 });
    source.held = Promise.withResolvers();
    const all = tenants(150);
    for (const tenant of all) source.save(record(tenant));
    const answers = all.map((tenant) => lookup.assertActive(tenant));
    expect(lookup.pending).toBe(150);
    await expect(lookup.assertActive(acme)).rejects.toEqual(coded("UNAVAILABLE", { retryAfterMs: 700 }));
    const shared = lookup.assertActive(all[0] ?? acme);
    source.held.resolve();
    expect(await Promise.all([...answers, shared])).toHaveLength(151);
    await expect(lookup.assertActive(acme)).rejects.toEqual(coded("TENANT_UNKNOWN"));
  });

  it("given a directory that does not answer, when the time is over, then all who wait are told, and the next is asked", async () => {
    make({ maxConcurrent: 1, timeoutMs: 500 });
    source.held = Promise.withResolvers();
    const running = lookup.assertActive(acme);
    await vi.waitFor(() => expect(source.questions).toHaveLength(1));
    const waiting = lookup.assertActive(parseTenantId("other"));
    clock.advance(500);
    await expect(running).rejects.toEqual(coded("UNAVAILABLE", { retryAfterMs: 1000 }));
    await expect(waiting).rejects.toEqual(coded("UNAVAILABLE"));
    expect([lookup.pending, clock.pending]).toEqual([0, 0]);
    source.held = undefined;
    await expect(lookup.assertActive(acme)).rejects.toEqual(coded("TENANT_UNKNOWN"));
    expect(source.questions).toEqual([[acme], [acme]]);
  });

  it("given a directory that fails, when it is asked, then that is not taken for an answer", async () => {
    make();
    const cause = new Error("disk");
    source.findMany = () => Promise.reject(cause);
    await expect(lookup.assertActive(acme)).rejects.toEqual(coded("UNAVAILABLE", { cause, retryAfterMs: 1000 }));
    expect(lookup.peek(acme)).toBeUndefined();
    source.findMany = () => {
      throw cause;
    };
    await expect(lookup.assertActive(acme)).rejects.toEqual(coded("UNAVAILABLE", { cause }));
  });

  it("given a cached answer, when the directory tells of a change, then the change holds at once", async () => {
    make();
    await expect(lookup.assertActive(acme)).rejects.toEqual(coded("TENANT_UNKNOWN"));
    source.save(record(acme));
    expect((await lookup.assertActive(acme)).state).toBe("active");
    expect(lookup.peek(acme)?.state).toBe("active");
    source.save(record(acme, "suspended"));
    expect(lookup.peek(acme)?.state).toBe("suspended");
    await expect(lookup.assertActive(acme)).rejects.toEqual(coded("TENANT_SUSPENDED"));
    source.records.delete(acme);
    source.tell({ kind: "deleted", tenant: acme });
    await expect(lookup.assertActive(acme)).rejects.toEqual(coded("TENANT_UNKNOWN"));
    expect(source.questions).toHaveLength(1);
    source.records.set(acme, record(acme));
    source.tell({ kind: "reset" });
    expect((await lookup.assertActive(acme)).state).toBe("active");
    expect(source.questions).toHaveLength(2);
  });

  it.each(["saved", "reset"])(
    "given an answer on its way, when a change is told (%s), then the old answer is not used",
    async (kind) => {
      make();
      source.save(record(acme));
      source.held = Promise.withResolvers();
      const answer = lookup.assertActive(acme);
      await vi.waitFor(() => expect(source.questions).toHaveLength(1));
      const suspended = record(acme, "suspended");
      source.records.set(acme, suspended);
      source.tell(kind === "saved" ? { kind, record: suspended } : { kind: "reset" });
      source.held.resolve();
      await expect(answer).rejects.toEqual(coded("TENANT_SUSPENDED"));
      expect(source.questions).toHaveLength(2);
    },
  );

  it("given look-ups that run and wait, when it is closed, then all end, and new ones are refused", async () => {
    make({ maxConcurrent: 1 });
    source.save(record(acme));
    await lookup.assertActive(acme);
    source.questions.length = 0;
    source.held = Promise.withResolvers();
    const answers = tenants(300).map((tenant) => lookup.assertActive(tenant));
    await vi.waitFor(() => expect(source.questions).toHaveLength(1));
    const closed = lookup.close();
    for (const answer of answers) await expect(answer).rejects.toEqual(coded("UNAVAILABLE"));
    await closed;
    await lookup.close();
    await lookup[Symbol.asyncDispose]();
    await expect(lookup.assertActive(acme)).rejects.toEqual(coded("UNAVAILABLE"));
    expect(lookup.peek(acme)).toBeUndefined();
    expect([lookup.pending, clock.pending, source.listeners]).toEqual([0, 0, 0]);
  });

  it.each(["maxConcurrent", "maxPending", "timeoutMs", "cacheMs"])(
    "given a wrong %s, when it is made, then that is named",
    (field) => {
      make();
      expect(() => new TenantLookup(source, { [field]: -1 }, { clock })).toThrow(coded("INVALID_OPTION", { field }));
    },
  );
});
