import type { TenantContext } from "@pm/core";

/** Says who a token belongs to. `JwtValidator` of `@pm/auth` is one. */
export interface Authenticator {
  /** @throws CodedError with a code that `toClientError` knows; `TOKEN_EXPIRED` is told, the rest is `INVALID_TOKEN` */
  authenticate(token: string): Promise<TenantContext>;
}

/** Says whether a tenant may connect. The directory of `@pm/db` is behind one. */
export interface TenantGate {
  /** @throws CodedError `TENANT_UNKNOWN`, `TENANT_SUSPENDED`, or `UNAVAILABLE` with the time to wait */
  assertActive(context: TenantContext): Promise<void>;
}
