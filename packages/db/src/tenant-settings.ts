import { TenantError } from "./tenant-error.ts";
import { MAX_COUNT_LIMIT, type TenantLimits, type TenantRecord } from "./tenant-record.ts";

/** What is set of a tenant when it is made. */
export interface TenantSettings {
  /** 1 to 200 characters without control characters. */
  readonly displayName?: string | undefined;
  readonly limits?: TenantLimits | undefined;
}

/** What is to change of a tenant: undefined leaves as it is, null takes away. */
export interface TenantUpdate {
  readonly displayName?: string | null | undefined;
  readonly limits?: { readonly [Limit in keyof TenantLimits]?: number | null | undefined } | undefined;
}

const MAX_DISPLAY_NAME = 200;
/** Control and bidi characters, lone surrogates, line and paragraph separators. */
const UNSHOWABLE = /[\p{Cc}\p{Cs}\p{Zl}\p{Zp}\p{Bidi_Control}]/u;

interface LimitRange {
  /** As clients know it. */
  readonly field: string;
  readonly min: number;
  readonly max: number;
}

/** What is counted is a uint32 for clients. */
const LIMITS: Readonly<Record<keyof TenantLimits, LimitRange>> = {
  maxConnections: { field: "max_connections", min: 1, max: MAX_COUNT_LIMIT },
  publicationsPerSec: { field: "publications_per_sec", min: 0, max: MAX_COUNT_LIMIT },
  bytesPerSec: { field: "bytes_per_sec", min: 0, max: Number.MAX_SAFE_INTEGER },
  maxChannels: { field: "max_channels", min: 1, max: MAX_COUNT_LIMIT },
};
const LIMIT_NAMES = Object.keys(LIMITS) as (keyof TenantLimits)[];

/**
 * The settings of a record with an update made to them.
 * @throws TenantError `INVALID_MESSAGE` with `field` for a value out of its range.
 */
export function updatedSettings(
  current: Pick<TenantRecord, "displayName" | "limits">,
  update: TenantUpdate,
): TenantSettings {
  for (const name of Object.keys(update.limits ?? {})) assertKnown(name);
  const limits: { -readonly [Limit in keyof TenantLimits]: number } = {};
  for (const name of LIMIT_NAMES) {
    const value = chosen(current.limits[name], update.limits?.[name]);
    if (value !== undefined) limits[name] = parseLimit(name, value);
  }
  const displayName = chosen(current.displayName, update.displayName);
  return { displayName: displayName === undefined ? undefined : parseDisplayName(displayName), limits };
}

function chosen<T>(current: T | undefined, update: T | null | undefined): T | undefined {
  return update === undefined ? current : (update ?? undefined);
}

/** A limit with a misspelt name would otherwise be no limit, and nobody would know. */
function assertKnown(name: string): void {
  if (Object.hasOwn(LIMITS, name)) return;
  throw TenantError.invalid("limits", name, `one of ${LIMIT_NAMES.join(", ")}`);
}

function parseLimit(name: keyof TenantLimits, value: number): number {
  const { field, min, max } = LIMITS[name];
  if (Number.isInteger(value) && value >= min && value <= max) return value;
  throw TenantError.invalid(field, value, `an integer from ${min} to ${max}`);
}

function parseDisplayName(value: string): string {
  if (value.length > 0 && value.length <= MAX_DISPLAY_NAME && !UNSHOWABLE.test(value)) return value;
  throw TenantError.invalid("display_name", value, `1 to ${MAX_DISPLAY_NAME} characters without control characters`);
}
