// For applications.
export type { Clock, Grant, Logger, Randomness, TenantContext, TenantId } from "@pm/core";
export { CodedError } from "@pm/core";
export type { AuthErrorCode } from "./auth-error.ts";
export { AuthError } from "./auth-error.ts";
export { AuthOptionError } from "./auth-option-error.ts";
export type { Authenticator } from "./authenticator.ts";
export type { ClaimRules, ClaimRulesOptions } from "./claim-rules.ts";
export { resolveClaimRules } from "./claim-rules.ts";
export { Claims, contextFromClaims } from "./claims.ts";
export { MAX_TOKEN_LENGTH } from "./compact-token.ts";
export type { JwtAlgorithm } from "./jwt-algorithm.ts";
export type { Hs256Key, JwtKey, Rs256Key } from "./verification-key.ts";
export { MIN_SECRET_BYTES } from "./verification-key.ts";
export type { JwksValidatorOptions, JwtValidatorOptions } from "./jwt-validator-options.ts";
export type { RemoteKeySetOptions } from "./remote-key-set-options.ts";
export { JwtValidator } from "./jwt-validator.ts";
export type { RequireTenantOptions, TenantMiddleware, TenantRequest } from "./require-tenant.ts";
export { requireTenant, tenantContextOf } from "./require-tenant.ts";
export type { RateLimit, RateLimitConfig } from "./rate-limit-config.ts";
export { resolveRateLimit } from "./rate-limit-config.ts";
export { ConnectionRateLimiter } from "./connection-rate-limiter.ts";
export { RateLimiterFactory } from "./rate-limiter-factory.ts";
export type { KeyedRateLimiterOptions } from "./keyed-rate-limiter.ts";
export { KeyedRateLimiter } from "./keyed-rate-limiter.ts";

// For authors of adapters.
export type { ExtractedToken, TokenHeaders } from "./token-extraction.ts";
export { extractToken } from "./token-extraction.ts";
