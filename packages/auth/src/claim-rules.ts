import { AuthOptionError } from "./auth-option-error.ts";

/** What tokens must say beside being signed. */
export interface ClaimRulesOptions {
  /**
   * Accepted values of `iss`.
   * @default any, or none
   */
  issuer?: string | readonly string[] | undefined;
  /**
   * Values of which `aud` must have at least one.
   * @default any, or none
   */
  audience?: string | readonly string[] | undefined;
  /**
   * Seconds by which clocks may differ: applies to `exp`, `nbf` and `iat`. At most 300.
   * @default 30
   */
  leewaySecs?: number | undefined;
}

/** The resolved form. An undefined list checks nothing. */
export interface ClaimRules {
  readonly issuers: readonly string[] | undefined;
  readonly audiences: readonly string[] | undefined;
  readonly leewayMs: number;
}

const MAX_LEEWAY_SECS = 300;

/**
 * Fills in defaults and checks.
 * @throws AuthOptionError
 */
export function resolveClaimRules(options: ClaimRulesOptions = {}): ClaimRules {
  const leewaySecs = options.leewaySecs ?? 30;
  if (!(leewaySecs >= 0 && leewaySecs <= MAX_LEEWAY_SECS)) {
    throw AuthOptionError.of("leewaySecs", `is ${leewaySecs}, not from 0 to ${MAX_LEEWAY_SECS}`);
  }
  return {
    issuers: resolveNames("issuer", options.issuer),
    audiences: resolveNames("audience", options.audience),
    leewayMs: leewaySecs * 1000,
  };
}

/** An empty list or name would look like a check and refuse everything, or nothing. */
function resolveNames(option: string, value: string | readonly string[] | undefined): readonly string[] | undefined {
  if (value === undefined) return undefined;
  const names: readonly unknown[] = Array.isArray(value) ? [...value] : [value];
  if (!names.every((name) => typeof name === "string"))
    throw AuthOptionError.of(option, "is not text, or a list of it");
  if (names.length === 0 || names.includes("")) throw AuthOptionError.of(option, "is empty");
  return names;
}
