import { type Grant, type GrantAction, parseTenantId, type TenantContext } from "@pm/core";
import { type Authenticator, WsError } from "../../src/index.ts";

/**
 * Takes tokens of the form `tenant.user`, and believes them; `tenant.user.nothing` has no grant, and
 * `tenant.user.subscribe+history` may do that everywhere and nothing else.
 */
export const nameAuthenticator: Authenticator = {
  async authenticate(token: string): Promise<TenantContext> {
    const [tenant, user, grants] = token.split(".");
    if (tenant === undefined || user === undefined) throw new WsError("INVALID_TOKEN", "not tenant.user");
    return {
      tenant: parseTenantId(tenant),
      user,
      roles: [],
      grants: grants === undefined ? undefined : grantsOf(grants),
      expiresAtMs: Number.MAX_SAFE_INTEGER,
    };
  },
};

function grantsOf(actions: string): Grant[] {
  return actions === "nothing" ? [] : [{ pattern: "*", allow: actions.split("+") as GrantAction[] }];
}

/** The token of a user. */
export function tokenOf(tenant: string, user: string): string {
  return `${tenant}.${user}`;
}
