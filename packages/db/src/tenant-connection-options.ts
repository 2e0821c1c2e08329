import { dataDirOption } from "./data-dir-option.ts";
import { integerOption } from "./integer-option.ts";
import { assertNumbered, type Migration } from "./migration.ts";

/** How a TenantConnectionManager is set up. */
export interface TenantConnectionOptions {
  /** The folder of all databases; tenants' are under `tenants/` in it. Made where it does not exist. */
  dataDir: string;
  /**
   * The steps that make the tables of every tenant's database, numbered from 1.
   * @default []
   */
  migrations?: readonly Migration[] | undefined;
  /**
   * Databases that may be open at once. Each takes three file descriptors.
   * @default 100
   */
  maxOpen?: number | undefined;
  /**
   * Leases that may wait when all open databases are in use.
   * @default 1000
   */
  maxWaiting?: number | undefined;
  /**
   * Milliseconds that a lease may wait.
   * @default 5000
   */
  waitTimeoutMs?: number | undefined;
  /**
   * Milliseconds after which an unused database is closed.
   * @default 60_000
   */
  idleTimeoutMs?: number | undefined;
  /**
   * Milliseconds for which a database that could not be opened is not tried again; its tenant gets the same error.
   * @default 1000
   */
  reopenDelayMs?: number | undefined;
  /**
   * Milliseconds to wait for the lock of another process. The wait holds the event loop.
   * @default 250
   */
  busyTimeoutMs?: number | undefined;
  /**
   * Bytes that one tenant's `main.db` may grow to, so that one tenant cannot fill the disk of all; 0 is no limit, else
   * at least 65 536. The log beside it takes up to twice as much while it is open.
   * @default 0
   */
  maxDatabaseBytes?: number | undefined;
}

/** The options with nothing left open. */
export interface ResolvedTenantConnectionOptions {
  readonly dataDir: string;
  readonly migrations: readonly Migration[];
  readonly maxOpen: number;
  readonly maxWaiting: number;
  readonly waitTimeoutMs: number;
  readonly idleTimeoutMs: number;
  readonly reopenDelayMs: number;
  readonly busyTimeoutMs: number;
  readonly maxDatabaseBytes: number;
}

/**
 * Fills in the defaults and checks the ranges.
 * @throws DbError `INVALID_OPTION` with the name of the option in `field`.
 */
export function resolveTenantConnectionOptions(options: TenantConnectionOptions): ResolvedTenantConnectionOptions {
  const migrations = options.migrations ?? [];
  assertNumbered(migrations);
  const maxDatabaseBytes = bytesOption(options.maxDatabaseBytes ?? 0);
  return {
    dataDir: dataDirOption(options.dataDir),
    migrations,
    maxOpen: integerOption("maxOpen", options.maxOpen ?? 100, { min: 1 }),
    maxWaiting: integerOption("maxWaiting", options.maxWaiting ?? 1000, { min: 0 }),
    waitTimeoutMs: integerOption("waitTimeoutMs", options.waitTimeoutMs ?? 5000, { min: 0 }),
    idleTimeoutMs: integerOption("idleTimeoutMs", options.idleTimeoutMs ?? 60_000, { min: 1 }),
    reopenDelayMs: integerOption("reopenDelayMs", options.reopenDelayMs ?? 1000, { min: 0 }),
    busyTimeoutMs: integerOption("busyTimeoutMs", options.busyTimeoutMs ?? 250, { min: 0 }),
    maxDatabaseBytes,
  };
}

function bytesOption(value: number): number {
  return value === 0 ? 0 : integerOption("maxDatabaseBytes", value, { min: 65_536, max: Number.MAX_SAFE_INTEGER });
}
