import { ManualClock, RecordingLogger } from "@pm/core/testing";
import { SignJWT } from "jose";
import { describe, expect, it } from "vitest";
import { claimsOf, hs256, NOW_SECS, rs256, rsaPair, SECRET } from "../test/tokens.ts";
import { AuthError } from "./auth-error.ts";
import { AuthOptionError } from "./auth-option-error.ts";
import { JwtValidator } from "./jwt-validator.ts";
import type { JwtValidatorOptions } from "./jwt-validator-options.ts";

const pair = rsaPair();

const named = (kid: string, secret: string): string => hs256(claimsOf(), secret, { alg: "HS256", kid });

function validatorOf(options: JwtValidatorOptions = {}) {
  const clock = new ManualClock();
  return { clock, validator: JwtValidator.withHs256(SECRET, { clock, ...options }) };
}

describe("JwtValidator.authenticate", () => {
  it("given a token made by hand, when it is authenticated, then its tenant context is there", async () => {
    const { validator } = validatorOf();
    expect(await validator.authenticate(hs256(claimsOf({ roles: ["editor"], jti: "t1" })))).toEqual({
      tenant: "acme",
      user: "ada",
      roles: ["editor"],
      grants: undefined,
      expiresAtMs: (NOW_SECS + 3600) * 1000,
      tokenId: "t1",
    });
  });

  it("given a token made by jose, when it is authenticated, then it is good", async () => {
    const token = await new SignJWT(claimsOf({ sub: "ü" }))
      .setProtectedHeader({ alg: "HS256", typ: "JWT" })
      .sign(Buffer.from(SECRET));
    expect((await validatorOf().validator.authenticate(token)).user).toBe("ü");
  });

  it("given an RS256 token, when it is authenticated with the public key, then it is good, and with another it is not", async () => {
    const options = { clock: new ManualClock() };
    const token = rs256(claimsOf(), pair);
    expect((await JwtValidator.withRs256(pair.publicKeyPem, options).authenticate(token)).tenant).toBe("acme");
    const other = JwtValidator.withRs256(rsaPair().publicKeyPem, options);
    await expect(other.authenticate(token)).rejects.toMatchObject({ code: "INVALID_TOKEN" });
  });

  it.each([undefined, null, 42, {}])(
    "given %s as a token, when it is authenticated, then it is refused as one",
    async (token) => {
      const { validator } = validatorOf();
      await validator.authenticate(hs256(claimsOf()));
      await expect(validator.authenticate(token as string)).rejects.toMatchObject({
        code: "JWT_DECODE_FAILED",
      });
    },
  );

  it("given a kid of unsafe characters, when no key has it, then the message shows it in ASCII, cut short", async () => {
    const validator = JwtValidator.withKeys([{ algorithm: "HS256", secret: SECRET, kid: "a" }]);
    const refused = validator.authenticate(named(`k\u202e\u2028\n"${"x".repeat(100)}`, SECRET));
    await expect(refused).rejects.toThrow(`no key for kid "k\\u202e\\u2028\\n\\"${"x".repeat(59)}"`);
  });

  it("given a secret below 32 bytes, when a token is authenticated, then it is good", async () => {
    const validator = JwtValidator.withHs256("test", { clock: new ManualClock() });
    expect((await validator.authenticate(hs256(claimsOf(), "test"))).user).toBe("ada");
  });

  it("given an issuer and an audience, when a token has others, then it is refused with the claim in the log", async () => {
    const { validator } = validatorOf({ issuer: "https://id.example", audience: "pm" });
    const good = { iss: "https://id.example", aud: ["pm", "other"] };
    expect((await validator.authenticate(hs256(claimsOf(good)))).user).toBe("ada");
    for (const [claim, value] of [
      ["iss", "https://evil.example"],
      ["aud", "other"],
    ] as const) {
      const refused = validator.authenticate(hs256(claimsOf({ ...good, [claim]: value })));
      await expect(refused).rejects.toMatchObject({ code: "INVALID_CLAIM", field: claim });
    }
  });

  it("given a token over 8 KiB, when it is authenticated, then it is refused before anything is done with it", async () => {
    const token = hs256(claimsOf({ pad: "x".repeat(8192) }));
    const { validator } = validatorOf({ maxPending: 1 });
    const pending = validator.authenticate(hs256(claimsOf()));
    await expect(validator.authenticate(token)).rejects.toMatchObject({ code: "JWT_DECODE_FAILED" });
    expect((await pending).user).toBe("ada");
  });

  it("given no room for another verification, when a token comes, then it may try again", async () => {
    const { validator } = validatorOf({ maxPending: 1 });
    const first = validator.authenticate(hs256(claimsOf()));
    const second = validator.authenticate(hs256(claimsOf({ sub: "bob" })));
    await expect(second).rejects.toMatchObject({ code: "UNAVAILABLE", retryAfterMs: 1000 });
    expect((await first).user).toBe("ada");
    expect((await validator.authenticate(hs256(claimsOf({ sub: "bob" })))).user).toBe("bob");
  });

  it("given a refused token, when no more happens, then no timer is left", async () => {
    const { clock, validator } = validatorOf();
    await expect(validator.authenticate("a.b.c")).rejects.toThrow(AuthError);
    await validator.authenticate(hs256(claimsOf()));
    expect(clock.pending).toBe(0);
  });
});

describe("JwtValidator's memory of tokens", () => {
  it("given a token that was verified, when it comes again, then the same context is there without verification", async () => {
    const { validator } = validatorOf();
    const token = hs256(claimsOf());
    expect(await validator.authenticate(token)).toBe(await validator.authenticate(token));
  });

  it("given no memory, when a token comes again, then it is verified again", async () => {
    const { validator } = validatorOf({ maxCachedTokens: 0 });
    const token = hs256(claimsOf());
    expect(await validator.authenticate(token)).not.toBe(await validator.authenticate(token));
  });

  it("given a remembered token, when it expires, then it is refused as expired from the end of the leeway on", async () => {
    const { clock, validator } = validatorOf();
    const token = hs256(claimsOf({ exp: NOW_SECS + 60 }));
    const context = await validator.authenticate(token);
    clock.advance(89_999);
    expect(await validator.authenticate(token)).toBe(context);
    clock.advance(1);
    await expect(validator.authenticate(token)).rejects.toMatchObject({ code: "TOKEN_EXPIRED" });
  });

  it("given a remembered token, when the wall clock goes back before its nbf, then it is refused", async () => {
    let shiftMs = 0;
    const clock = new (class extends ManualClock {
      override now(): number {
        return super.now() + shiftMs;
      }
    })();
    const validator = JwtValidator.withHs256(SECRET, { clock });
    const token = hs256(claimsOf({ nbf: NOW_SECS }));
    await validator.authenticate(token);
    shiftMs = -31_000;
    await expect(validator.authenticate(token)).rejects.toMatchObject({ code: "INVALID_CLAIM" });
  });

  it("given a remembered token, when one differs in its signature only, then it is refused", async () => {
    const { validator } = validatorOf();
    const token = hs256(claimsOf());
    await validator.authenticate(token);
    const forged = `${token.slice(0, token.lastIndexOf(".") + 1)}${"A".repeat(43)}`;
    await expect(validator.authenticate(forged)).rejects.toMatchObject({ code: "INVALID_TOKEN" });
  });
});

describe("JwtValidator.withKeys", () => {
  const clock = new ManualClock();
  const other = "another secret of more than 32 bytes";

  it("given an old and a new key, when tokens name them, then each is verified by its own key alone", async () => {
    const keys = [
      { algorithm: "HS256", secret: SECRET, kid: "old" },
      { algorithm: "HS256", secret: other, kid: "new" },
    ] as const;
    const validator = JwtValidator.withKeys(keys, { clock });
    expect((await validator.authenticate(named("old", SECRET))).user).toBe("ada");
    expect((await validator.authenticate(named("new", other))).user).toBe("ada");
    for (const token of [named("old", other), named("new", SECRET), named("gone", SECRET), hs256(claimsOf())]) {
      await expect(validator.authenticate(token)).rejects.toMatchObject({ code: "INVALID_TOKEN" });
    }
  });

  it("given keys of both algorithms, when a token uses one with the name of the other, then it is refused", async () => {
    const keys = [
      { algorithm: "HS256", secret: SECRET, kid: "h" },
      { algorithm: "RS256", publicKeyPem: pair.publicKeyPem, kid: "r" },
    ] as const;
    const validator = JwtValidator.withKeys(keys, { clock });
    expect((await validator.authenticate(rs256(claimsOf(), pair, { alg: "RS256", kid: "r" }))).user).toBe("ada");
    const confused = [
      hs256(claimsOf(), pair.publicKeyPem, { alg: "HS256", kid: "r" }),
      hs256(claimsOf(), SECRET, { alg: "HS256", kid: "r" }),
      rs256(claimsOf(), pair, { alg: "RS256", kid: "h" }),
    ];
    for (const token of confused) {
      await expect(validator.authenticate(token)).rejects.toMatchObject({
        code: "INVALID_TOKEN",
        message: expect.stringContaining("and the key for"),
      });
    }
  });

  it.each([
    ["no key", []],
    [
      "two of one name",
      [
        { algorithm: "HS256", secret: SECRET, kid: "k" },
        { algorithm: "HS256", secret: other, kid: "k" },
      ],
    ],
    [
      "two without name",
      [
        { algorithm: "HS256", secret: SECRET },
        { algorithm: "HS256", secret: other },
      ],
    ],
  ] as const)("given %s, when a validator is made, then that is refused", (_, keys) => {
    expect(() => JwtValidator.withKeys(keys)).toThrow(AuthOptionError);
  });

  it.each([
    { maxPending: 0 },
    { maxCachedTokens: -1 },
    { maxCachedBytes: 0.5 },
    { verifyTimeoutMs: 0 },
    { leewaySecs: 1000 },
  ])("given %j, when a validator is made, then that is refused", (options) => {
    expect(() => JwtValidator.withHs256(SECRET, options)).toThrow(AuthOptionError);
  });
});

describe("JwtValidator.secretIsShort", () => {
  it("given a short secret, when a validator is made, then it says so, loudly and without the secret", () => {
    const logger = new RecordingLogger();
    expect(JwtValidator.withHs256("test-secret", { logger }).secretIsShort).toBe(true);
    expect(logger.lines).toEqual([
      { level: "warn", event: "secret_is_short", fields: { kid: undefined, bytes: 11, min_bytes: 32 } },
    ]);
  });

  it("given good keys, when validators are made, then nothing is said", () => {
    const logger = new RecordingLogger();
    expect(JwtValidator.withHs256(SECRET, { logger }).secretIsShort).toBe(false);
    expect(JwtValidator.withRs256(pair.publicKeyPem, { logger }).secretIsShort).toBe(false);
    expect(logger.lines).toEqual([]);
  });
});

describe("JwtValidator's lifecycle", () => {
  it("given keys that are here, when it is started and ended twice, then nothing is wrong", async () => {
    await using validator = validatorOf().validator;
    await validator.start();
    await validator.start();
    await validator.drain();
    await validator.close();
  });
});
