import { type Clock, type Grant, systemClock } from "@pm/core";
import { SignJWT } from "jose";
import type { Config } from "../config/config.ts";
import { CommandError } from "./command-error.ts";

/** What a token is to say. */
export interface TokenRequest {
  readonly tenant: string;
  readonly user: string;
  readonly roles?: readonly string[] | undefined;
  /** Undefined: no `channels` claim. */
  readonly grants?: readonly Grant[] | undefined;
  readonly ttlSecs: number;
}

/** The parts of the configuration that a token depends on. */
export type TokenSettings = Pick<Config, "tokenKey" | "jwtIssuer" | "jwtAudience">;

/**
 * Signs a token that a server of the same configuration takes.
 * @throws CommandError `FAILED` where the configuration has only keys that verify
 */
export async function mintToken(
  { tokenKey, jwtIssuer, jwtAudience }: TokenSettings,
  { tenant, user, roles = [], grants, ttlSecs }: TokenRequest,
  clock: Clock = systemClock,
): Promise<string> {
  if (tokenKey.kind !== "secret") {
    const name = tokenKey.kind === "jwks" ? "JWKS_URL" : "JWT_PUBLIC_KEY";
    throw CommandError.failed(`${name} only verifies tokens: get one from your issuer`);
  }
  const issuedAt = Math.floor(clock.now() / 1000);
  const token = new SignJWT({
    tenant_id: tenant,
    ...(roles.length === 0 ? {} : { roles }),
    ...(grants === undefined ? {} : { channels: grants }),
  })
    .setProtectedHeader({ alg: "HS256", typ: "JWT" })
    .setSubject(user)
    .setIssuedAt(issuedAt)
    .setExpirationTime(issuedAt + ttlSecs);
  if (jwtIssuer !== undefined) token.setIssuer(jwtIssuer);
  if (jwtAudience !== undefined) token.setAudience(jwtAudience);
  return token.sign(Buffer.from(tokenKey.secret));
}
