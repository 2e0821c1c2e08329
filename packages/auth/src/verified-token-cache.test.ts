import { describe, expect, it } from "vitest";
import { claimsOf } from "../test/tokens.ts";
import { Claims, contextFromClaims } from "./claims.ts";
import { importKey } from "./verification-key.ts";
import { type VerifiedToken, VerifiedTokenCache } from "./verified-token-cache.ts";

const verified: VerifiedToken = {
  context: contextFromClaims(Claims.parse(claimsOf())),
  key: importKey({ algorithm: "HS256", secret: "s" }),
  fromMs: 1000,
  untilMs: 2000,
};

describe("VerifiedTokenCache", () => {
  it("given a token within its time, when it is looked up, then it is there, and outside it is not", () => {
    const cache = new VerifiedTokenCache({ maxTokens: 10, maxBytes: 100_000 });
    for (const [nowMs, isThere] of [
      [999, false],
      [1000, true],
      [1999, true],
      [2000, false],
    ] as const) {
      cache.set("token", verified);
      expect(cache.get("token", nowMs) !== undefined).toBe(isThere);
    }
    expect(cache.get("Token", 1500)).toBeUndefined();
    expect([cache.size, cache.bytes]).toEqual([0, 0]);
  });

  it("given a full cache, when another token comes, then the least recently used goes", () => {
    const cache = new VerifiedTokenCache({ maxTokens: 2, maxBytes: 100_000 });
    cache.set("a", verified);
    cache.set("b", verified);
    cache.get("a", 1500);
    cache.set("c", verified);
    expect(["a", "b", "c"].map((token) => cache.get(token, 1500) !== undefined)).toEqual([true, false, true]);
  });

  it("given a bound in bytes, when long tokens come, then what is kept stays below it", () => {
    const cache = new VerifiedTokenCache({ maxTokens: 1000, maxBytes: 50_000 });
    for (let i = 0; i < 100; i++) cache.set(`${i}${"x".repeat(8000)}`, verified);
    expect(cache.size).toBe(3);
    expect(cache.bytes).toBeLessThanOrEqual(50_000);
  });

  it("given a bound in bytes, when short tokens come, then what each costs beside its text counts too", () => {
    const cache = new VerifiedTokenCache({ maxTokens: 1000, maxBytes: 5140 });
    for (let i = 0; i < 100; i++) cache.set(String.fromCharCode(0x100 + i), verified);
    expect([cache.size, cache.bytes]).toEqual([10, 5140]);
  });

  it("given no room at all, when a token comes, then none is kept", () => {
    const cache = new VerifiedTokenCache({ maxTokens: 0, maxBytes: 100_000 });
    cache.set("a", verified);
    expect([cache.size, cache.bytes, cache.get("a", 1500)]).toEqual([0, 0, undefined]);
  });

  it("given a token that is set twice and deleted twice, when the bytes are read, then they are counted once", () => {
    const cache = new VerifiedTokenCache({ maxTokens: 10, maxBytes: 100_000 });
    cache.set("a", verified);
    const { bytes } = cache;
    cache.set("a", verified);
    expect(cache.bytes).toBe(bytes);
    cache.delete("a");
    cache.delete("a");
    expect(cache.bytes).toBe(0);
  });
});
