import { parseTenantId, type TenantId } from "@pm/core";
import Bottleneck from "bottleneck";
import type { DbPorts } from "./db-ports.ts";
import { TenantBatch } from "./tenant-batch.ts";
import { type TenantAnswer, TenantCache } from "./tenant-cache.ts";
import type { TenantChange, Unsubscribe } from "./tenant-change.ts";
import { TenantError } from "./tenant-error.ts";
import {
  type ResolvedTenantLookupOptions,
  resolveTenantLookupOptions,
  type TenantLookupOptions,
} from "./tenant-lookup-options.ts";
import type { TenantRecord } from "./tenant-record.ts";
import type { TenantSource } from "./tenant-source.ts";

/**
 * Answers, for each new connection, whether its tenant may connect. Answers are cached for a short time and dropped
 * when the directory tells of a change; look-ups of one tenant are made once, those of several together, and both what
 * runs and what waits is bounded.
 */
export class TenantLookup implements AsyncDisposable {
  readonly #source: TenantSource;
  readonly #options: ResolvedTenantLookupOptions;
  readonly #ports: Pick<DbPorts, "clock">;
  readonly #cache: TenantCache;
  readonly #limiter: Bottleneck;
  readonly #pending = new Map<TenantId, Promise<TenantAnswer>>();
  readonly #batches = new Set<TenantBatch>();
  readonly #unsubscribe: Unsubscribe;
  #newest: TenantBatch | undefined;
  #closed: Promise<void> | undefined;

  /** @throws DbError `INVALID_OPTION` */
  constructor(source: TenantSource, options: TenantLookupOptions, ports: Pick<DbPorts, "clock">) {
    this.#source = source;
    this.#options = resolveTenantLookupOptions(options);
    this.#ports = ports;
    this.#cache = new TenantCache(this.#options, ports.clock);
    // No highWater: Bottleneck counts only what has passed its own admission, which takes 2 ms a job and is not
    // bounded.
    this.#limiter = new Bottleneck({ maxConcurrent: this.#options.maxConcurrent });
    this.#unsubscribe = source.subscribe((change) => this.#onChange(change));
  }

  /** Tenants that are looked up now, or wait for it. */
  get pending(): number {
    return this.#pending.size;
  }

  /**
   * The record of a tenant that may connect.
   * @throws TenantError `TENANT_UNKNOWN`, `TENANT_SUSPENDED`; `UNAVAILABLE` with `retryAfterMs` when too many wait, the
   * directory does not answer in time, or it fails. NameError for what is not a tenant id.
   */
  async assertActive(tenant: TenantId): Promise<TenantRecord> {
    const id = parseTenantId(tenant);
    const { record } = this.#cache.get(id) ?? (await this.#lookUp(id));
    if (record === undefined) throw TenantError.unknown(id);
    if (record.state === "suspended") throw TenantError.suspended(id);
    return record;
  }

  /** What is known of a tenant without a look-up; undefined when nothing is, or that it does not exist. */
  peek(tenant: TenantId): TenantRecord | undefined {
    return this.#cache.get(tenant)?.record;
  }

  /** Ends all look-ups with `UNAVAILABLE`. May be called again. */
  close(): Promise<void> {
    this.#closed ??= this.#end();
    return this.#closed;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #end(): Promise<void> {
    this.#unsubscribe();
    this.#cache.clear();
    for (const batch of this.#batches) batch.fail(this.#unavailable("the look-up is closed"));
    return this.#limiter.stop({ dropWaitingJobs: true });
  }

  #lookUp(tenant: TenantId): Promise<TenantAnswer> {
    const pending = this.#pending.get(tenant);
    if (pending !== undefined) return pending;
    const { maxPending } = this.#options;
    if (this.#closed !== undefined) throw this.#unavailable("the look-up is closed");
    if (this.#pending.size >= maxPending) throw this.#unavailable(`${maxPending} are pending (max ${maxPending})`);
    const batch = this.#newest?.isOpen === true ? this.#newest : this.#beginBatch();
    const answer = batch.add(tenant).finally(() => this.#pending.delete(tenant));
    this.#pending.set(tenant, answer);
    return answer;
  }

  /** Bottleneck passes some 400 jobs a second, so one job is a batch: all tenants that come until it begins. */
  #beginBatch(): TenantBatch {
    const { timeoutMs } = this.#options;
    const error = (): TenantError => this.#unavailable(`no answer within ${timeoutMs} ms`);
    const batch = new TenantBatch({ clock: this.#ports.clock, timeoutMs, error });
    this.#newest = batch;
    this.#batches.add(batch);
    this.#limiter
      .schedule(() => this.#run(batch))
      .catch((cause: unknown) => batch.fail(this.#unavailable("the directory failed", cause)))
      .finally(() => this.#batches.delete(batch));
    return batch;
  }

  async #run(batch: TenantBatch): Promise<void> {
    if (batch.isSettled) return;
    let records = await batch.ask(this.#source);
    while (batch.isStale) records = await batch.ask(this.#source);
    for (const tenant of batch.tenants) this.#cache.set(tenant, records.get(tenant));
    batch.succeed(records);
  }

  #onChange(change: TenantChange): void {
    const tenant = tenantOf(change);
    for (const batch of this.#batches) batch.invalidate(tenant);
    if (tenant === undefined) this.#cache.clear();
    else if (change.kind === "saved") this.#cache.replace(tenant, change.record);
    else this.#cache.replace(tenant, undefined);
  }

  #unavailable(reason: string, cause?: unknown): TenantError {
    return TenantError.unavailable(reason, this.#options.retryAfterMs, cause);
  }
}

function tenantOf(change: TenantChange): TenantId | undefined {
  if (change.kind === "reset") return undefined;
  return change.kind === "saved" ? change.record.tenant : change.tenant;
}
