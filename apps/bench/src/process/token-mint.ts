import { SignJWT } from "jose";

/** Good for longer than any run. */
const LIFETIME_SECS = 6 * 3600;

/** What a mint signs for. */
export interface TokenIssue {
  readonly tenant: string;
  readonly user: string;
  readonly issuer?: string | undefined;
  readonly audience?: string | undefined;
}

/** Makes HS256 tokens, and keeps the ones that it made for the next round. */
export class TokenMint {
  readonly #key: Uint8Array;
  readonly #pools = new Map<string, string[]>();

  constructor(secret: string) {
    this.#key = new TextEncoder().encode(secret);
  }

  /** One token. */
  mint({ tenant, user, issuer, audience }: TokenIssue): Promise<string> {
    const token = new SignJWT({ tenant_id: tenant })
      .setProtectedHeader({ alg: "HS256", typ: "JWT" })
      .setSubject(user)
      .setIssuedAt()
      .setExpirationTime(Math.floor(Date.now() / 1000) + LIFETIME_SECS);
    if (issuer !== undefined) token.setIssuer(issuer);
    if (audience !== undefined) token.setAudience(audience);
    return token.sign(this.#key);
  }

  /** The first `count` users' tokens of a tenant, each another one. */
  async pool(tenant: string, count: number): Promise<readonly string[]> {
    const pool = this.#pools.get(tenant) ?? [];
    this.#pools.set(tenant, pool);
    while (pool.length < count) pool.push(await this.mint({ tenant, user: `user-${pool.length}` }));
    return pool.slice(0, count);
  }
}
