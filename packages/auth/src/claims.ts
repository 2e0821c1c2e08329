import { type Grant, isTenantId, type TenantContext, type TenantId } from "@pm/core";
import { AuthError } from "./auth-error.ts";
import type { ClaimRules } from "./claim-rules.ts";
import {
  checkText,
  describe,
  optionalText,
  optionalTexts,
  optionalTime,
  type Payload,
  requiredText,
  requiredTime,
} from "./claim-values.ts";
import { parseGrants } from "./grant-claim.ts";
import { isJsonObject } from "./unique-json.ts";

const MAX_SUB_BYTES = 128;
const MAX_NAME_BYTES = 1024;
const MAX_JTI_BYTES = 256;
const AUDIENCE_LIMITS = { max: 32, maxBytes: MAX_NAME_BYTES };
const ROLE_LIMITS = { max: 64, maxBytes: 128 };

/**
 * The claims of a token (RFC 7519, section 4, and the ones of pm), named as in the token, each of its type and within
 * its bounds. Claims that pm does not know are ignored.
 */
export class Claims {
  /** The user: 1 to 128 bytes, any characters. */
  readonly sub: string;
  readonly tenant_id: TenantId;
  /** Seconds since the epoch, as `iat` and `nbf` are. */
  readonly exp: number;
  readonly iat: number;
  readonly nbf: number | undefined;
  readonly iss: string | undefined;
  /** At most 32; a single string in the token becomes a list of one. */
  readonly aud: readonly string[] | undefined;
  /** At most 256 bytes. */
  readonly jti: string | undefined;
  /** At most 64 of 1 to 128 bytes. */
  readonly roles: readonly string[];
  /** At most 256. */
  readonly channels: readonly Grant[] | undefined;

  private constructor(payload: Payload) {
    this.sub = requiredText(payload, "sub", MAX_SUB_BYTES);
    this.tenant_id = checkTenant(payload["tenant_id"]);
    this.exp = requiredTime(payload, "exp");
    this.iat = requiredTime(payload, "iat");
    this.nbf = optionalTime(payload, "nbf");
    this.iss = optionalText(payload, "iss", MAX_NAME_BYTES);
    this.aud = parseAudience(payload);
    this.jti = optionalText(payload, "jti", MAX_JTI_BYTES);
    this.roles = optionalTexts(payload, "roles", ROLE_LIMITS) ?? [];
    this.channels = parseGrants(payload);
  }

  /**
   * Takes an unknown value as claims.
   * @throws AuthError `INVALID_CLAIM`, with the claim in `field`
   */
  static parse(payload: unknown): Claims {
    if (!isJsonObject(payload)) throw AuthError.invalidClaim("payload", `is ${describe(payload)}, not an object`);
    return new Claims(payload);
  }

  /**
   * Holds the claims against the rules and the time. Expiry comes last: only a token that is good otherwise is said to
   * have expired.
   * @throws AuthError `INVALID_CLAIM` or `TOKEN_EXPIRED`
   */
  validate(rules: ClaimRules, nowMs: number): void {
    if (rules.issuers !== undefined && (this.iss === undefined || !rules.issuers.includes(this.iss))) {
      throw AuthError.invalidClaim("iss", "is not an accepted issuer");
    }
    if (rules.audiences !== undefined && !rules.audiences.some((name) => this.aud?.includes(name) === true)) {
      throw AuthError.invalidClaim("aud", "has no accepted audience");
    }
    // So that a time or rules that are missing let nothing pass.
    if (!(nowMs >= this.#startMs(rules))) {
      const claim = this.iat >= (this.nbf ?? 0) ? "iat" : "nbf";
      throw AuthError.invalidClaim(claim, `is in the future by more than the leeway of ${rules.leewayMs} ms`);
    }
    if (!(nowMs < this.#endMs(rules))) throw AuthError.expired(expiryMs(this), nowMs, rules.leewayMs);
  }

  /** The time in which `validate` finds the claims good, leeway included; the end does not belong to it. */
  validity(rules: ClaimRules): { readonly fromMs: number; readonly untilMs: number } {
    return { fromMs: this.#startMs(rules), untilMs: this.#endMs(rules) };
  }

  #startMs(rules: ClaimRules): number {
    return Math.max(this.iat, this.nbf ?? 0) * 1000 - rules.leewayMs;
  }

  #endMs(rules: ClaimRules): number {
    return expiryMs(this) + rules.leewayMs;
  }
}

/** The roles of all who have none. */
const NONE: readonly string[] = Object.freeze([]);

/** Who the claims say somebody is. Frozen, since it is shared by all connections of one token. */
export function contextFromClaims(claims: Claims): TenantContext {
  return Object.freeze({
    tenant: claims.tenant_id,
    user: claims.sub,
    roles: claims.roles.length === 0 ? NONE : Object.freeze([...claims.roles]),
    grants: claims.channels === undefined ? undefined : Object.freeze([...claims.channels]),
    expiresAtMs: expiryMs(claims),
    tokenId: claims.jti,
  });
}

function expiryMs(claims: Claims): number {
  return Math.floor(claims.exp * 1000);
}

function checkTenant(value: unknown): TenantId {
  if (isTenantId(value)) return value;
  const reason = value === undefined ? "is absent" : `is ${describe(value)}, not a tenant id`;
  throw AuthError.invalidClaim("tenant_id", reason);
}

function parseAudience(payload: Payload): readonly string[] | undefined {
  const value = payload["aud"];
  if (typeof value === "string") return [checkText(value, "aud", MAX_NAME_BYTES)];
  return optionalTexts(payload, "aud", AUDIENCE_LIMITS);
}
