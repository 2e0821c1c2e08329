import type { TenantContext } from "@pm/core";

/** Whoever can tell from a token who somebody is. */
export interface Authenticator {
  /**
   * The context of a good token.
   * @throws AuthError (as a rejection) for every other one
   */
  authenticate(token: string): Promise<TenantContext>;
}
