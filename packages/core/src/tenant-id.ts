import { NameError } from "./name-error.ts";

/** The unit of isolation: `[A-Za-z0-9][A-Za-z0-9._-]{0,127}`, case kept, never normalised. */
export type TenantId = string & { readonly __brand: "TenantId" };

const TENANT_ID = /^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$/;

/** True for a string that is a tenant id as it stands. */
export function isTenantId(value: unknown): value is TenantId {
  return typeof value === "string" && value.length <= 128 && TENANT_ID.test(value);
}

/**
 * Takes a string as a tenant id.
 * @throws NameError `INVALID_NAME` with field `tenant_id` for anything outside the grammar.
 */
export function parseTenantId(value: unknown): TenantId {
  if (isTenantId(value)) return value;
  throw NameError.outsideGrammar("tenant_id", value, "1 to 128 of A-Z a-z 0-9 . _ - that begin with a letter or digit");
}
