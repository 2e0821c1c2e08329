import { dataDirOption } from "./data-dir-option.ts";
import { integerOption } from "./integer-option.ts";

/** How a TenantDirectory is set up. */
export interface TenantDirectoryOptions {
  /** The folder of all databases; the directory is `directory.db` in it. Made where it does not exist. */
  dataDir: string;
  /**
   * Milliseconds between two looks for changes made by other processes.
   * @default 1000
   */
  pollIntervalMs?: number | undefined;
  /**
   * Milliseconds to wait for the lock of another process. The wait holds the event loop.
   * @default 250
   */
  busyTimeoutMs?: number | undefined;
}

/** The options with nothing left open. */
export interface ResolvedTenantDirectoryOptions {
  readonly dataDir: string;
  readonly pollIntervalMs: number;
  readonly busyTimeoutMs: number;
}

/**
 * Fills in the defaults and checks the ranges.
 * @throws DbError `INVALID_OPTION` with the name of the option in `field`.
 */
export function resolveTenantDirectoryOptions(options: TenantDirectoryOptions): ResolvedTenantDirectoryOptions {
  return {
    dataDir: dataDirOption(options.dataDir),
    pollIntervalMs: integerOption("pollIntervalMs", options.pollIntervalMs ?? 1000, { min: 1 }),
    busyTimeoutMs: integerOption("busyTimeoutMs", options.busyTimeoutMs ?? 250, { min: 0 }),
  };
}
