import { type Clock, type Logger, silentLogger, systemClock } from "@pm/core";
import { resolveCount } from "./auth-option-error.ts";
import { type ClaimRules, type ClaimRulesOptions, resolveClaimRules } from "./claim-rules.ts";
import type { RemoteKeySetOptions } from "./remote-key-set-options.ts";
import type { GateLimits } from "./verification-gate.ts";
import type { CacheLimits } from "./verified-token-cache.ts";

/** How tokens are verified, whatever the keys. */
export interface JwtValidatorOptions extends ClaimRulesOptions {
  /**
   * Verified tokens that are remembered. 0: none.
   * @default 10_000
   */
  maxCachedTokens?: number | undefined;
  /**
   * Estimated bytes of the tokens that are remembered.
   * @default 16_777_216
   */
  maxCachedBytes?: number | undefined;
  /**
   * Tokens that may be under verification at once; the others are told `UNAVAILABLE`.
   * @default 1_024
   */
  maxPending?: number | undefined;
  /**
   * Milliseconds a verification may take, waiting for keys included.
   * @default 5_000
   */
  verifyTimeoutMs?: number | undefined;
  /** @default the machine's */
  clock?: Clock | undefined;
  /** Where warnings about keys go. @default none */
  logger?: Logger | undefined;
}

/** The same, and how keys are fetched. */
export interface JwksValidatorOptions extends JwtValidatorOptions, RemoteKeySetOptions {}

/** The resolved form. */
export interface JwtValidatorConfig {
  readonly rules: ClaimRules;
  readonly cache: CacheLimits;
  readonly gate: GateLimits;
  readonly clock: Clock;
  readonly logger: Logger;
}

/**
 * Fills in defaults and checks.
 * @throws AuthOptionError
 */
export function resolveJwtValidator(options: JwtValidatorOptions = {}): JwtValidatorConfig {
  const tokens = { min: 0, max: 1_000_000, byDefault: 10_000 };
  const bytes = { min: 0, max: 2 ** 32, byDefault: 16_777_216 };
  const pending = { min: 1, max: 100_000, byDefault: 1_024 };
  const timeout = { min: 1, max: 60_000, byDefault: 5_000 };
  return {
    rules: resolveClaimRules(options),
    cache: {
      maxTokens: resolveCount("maxCachedTokens", options.maxCachedTokens, tokens),
      maxBytes: resolveCount("maxCachedBytes", options.maxCachedBytes, bytes),
    },
    gate: {
      maxPending: resolveCount("maxPending", options.maxPending, pending),
      timeoutMs: resolveCount("verifyTimeoutMs", options.verifyTimeoutMs, timeout),
    },
    clock: options.clock ?? systemClock,
    logger: options.logger ?? silentLogger,
  };
}
