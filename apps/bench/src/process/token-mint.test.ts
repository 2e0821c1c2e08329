import { jwtVerify } from "jose";
import { describe, expect, it } from "vitest";
import { TokenMint } from "./token-mint.ts";

const SECRET = "0123456789abcdef0123456789abcdef";

describe("TokenMint", () => {
  it("given a secret, when a token is made, then it verifies and says who it is for", async () => {
    const token = await new TokenMint(SECRET).mint({ tenant: "acme", user: "ada", issuer: "me", audience: "you" });
    const { payload } = await jwtVerify(token, new TextEncoder().encode(SECRET), { issuer: "me", audience: "you" });
    expect(payload).toMatchObject({ sub: "ada", tenant_id: "acme" });
    expect((payload.exp ?? 0) - (payload.iat ?? 0)).toBeGreaterThanOrEqual(3600);
  });

  it("given a pool, when a larger one is asked for, then the first tokens are the same and all are different", async () => {
    const mint = new TokenMint(SECRET);
    const few = await mint.pool("acme", 3);
    const more = await mint.pool("acme", 5);
    expect(more.slice(0, 3)).toEqual(few);
    expect(new Set([...more, ...(await mint.pool("other", 5))]).size).toBe(10);
  });
});
