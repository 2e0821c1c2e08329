import type { Grant } from "./grant.ts";
import type { TenantId } from "./tenant-id.ts";

/** Who somebody is after verification. Nothing in it comes from a message. */
export interface TenantContext {
  readonly tenant: TenantId;
  /** The `sub` of the token: 1 to 128 bytes, any characters. */
  readonly user: string;
  readonly roles: readonly string[];
  /** Undefined: the token says nothing about channels, and the configuration decides. */
  readonly grants: readonly Grant[] | undefined;
  /** Milliseconds since the epoch after which the token is no longer good; leeway is not in it. */
  readonly expiresAtMs: number;
  /** The `jti` of the token, where it has one. */
  readonly tokenId?: string | undefined;
}
