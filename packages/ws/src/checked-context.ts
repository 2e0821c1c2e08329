import type { TenantContext } from "@pm/core";

/**
 * A context as every part relies on it.
 * @throws TypeError for what an authenticator must not give
 */
export function checkedContext(context: TenantContext | null | undefined): TenantContext {
  if (context === undefined || context === null) throw new TypeError("the authenticator gave no context");
  const { expiresAtMs } = context;
  if (expiresAtMs >= 0 && expiresAtMs <= Number.MAX_SAFE_INTEGER) return context;
  throw new TypeError(`the authenticator gave ${expiresAtMs} as the time of expiry`);
}
