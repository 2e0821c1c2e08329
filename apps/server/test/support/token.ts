import { type JWTPayload, SignJWT } from "jose";

/** The HS256 secret of the servers in these tests. */
export const SECRET = "a secret of tests, long enough: 0123456789abcdef";

/** Who a token is for, and what it allows. */
export interface TokenSubject {
  readonly tenant?: string | undefined;
  readonly user?: string | undefined;
  readonly roles?: readonly string[] | undefined;
  readonly channels?: readonly Grant[] | undefined;
  /** Seconds from now; negative for an expired token. */
  readonly expiresInSecs?: number | undefined;
}

/** An entry of the claim `channels`. */
export interface Grant {
  readonly pattern: string;
  readonly allow: readonly ("subscribe" | "publish" | "history")[];
}

export const nowSecs = (): number => Math.floor(Date.now() / 1_000);

/** The claims of a good token. */
export function claimsFor(subject: TokenSubject = {}): JWTPayload {
  const now = nowSecs();
  return {
    sub: subject.user ?? "u-1",
    tenant_id: subject.tenant ?? "acme",
    iat: now - 60,
    exp: now + (subject.expiresInSecs ?? 3_600),
    ...(subject.roles === undefined ? {} : { roles: [...subject.roles] }),
    ...(subject.channels === undefined ? {} : { channels: [...subject.channels] }),
  };
}

/** Signs claims with the secret of the tests, whatever they are. */
export function sign(claims: JWTPayload, secret: string = SECRET): Promise<string> {
  return new SignJWT(claims).setProtectedHeader({ alg: "HS256", typ: "JWT" }).sign(new TextEncoder().encode(secret));
}

/** A good token. */
export function tokenFor(subject: TokenSubject = {}): Promise<string> {
  return sign(claimsFor(subject));
}
