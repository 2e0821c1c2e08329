import { JwtValidator, type JwtValidatorOptions } from "@pm/auth";
import type { Clock, Logger } from "@pm/core";
import type { Config } from "./config/config.ts";

/** The validator for the one key of a configuration. */
export function createValidator(
  { tokenKey, jwtIssuer: issuer, jwtAudience: audience }: Config,
  { clock, logger }: { readonly clock: Clock; readonly logger: Logger },
): JwtValidator {
  const options: JwtValidatorOptions = { issuer, audience, clock, logger };
  switch (tokenKey.kind) {
    case "secret":
      return JwtValidator.withHs256(tokenKey.secret, options);
    case "publicKey":
      return JwtValidator.withRs256(tokenKey.pem, options);
    case "jwks":
      return JwtValidator.withJwks(tokenKey.url, options);
    default:
      return tokenKey satisfies never;
  }
}
