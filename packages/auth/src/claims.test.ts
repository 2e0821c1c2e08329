import { describe, expect, it } from "vitest";
import { claimsOf, NOW_SECS } from "../test/tokens.ts";
import { AuthError } from "./auth-error.ts";
import { type ClaimRules, type ClaimRulesOptions, resolveClaimRules } from "./claim-rules.ts";
import { Claims, contextFromClaims } from "./claims.ts";

const NOW_MS = NOW_SECS * 1000;

function errorOf(run: () => unknown): AuthError {
  try {
    run();
  } catch (error) {
    if (error instanceof AuthError) return error;
    throw error;
  }
  throw new Error("nothing was thrown");
}

describe("Claims.parse", () => {
  it("given only the required claims, when they are parsed, then the others are empty", () => {
    expect(Object.fromEntries(Object.entries(Claims.parse(claimsOf())))).toEqual({
      sub: "ada",
      tenant_id: "acme",
      iat: NOW_SECS,
      exp: NOW_SECS + 3600,
      nbf: undefined,
      iss: undefined,
      aud: undefined,
      jti: undefined,
      roles: [],
      channels: undefined,
    });
  });

  it("given all claims and unknown ones, when they are parsed, then the known ones are there", () => {
    const channels = [{ pattern: "project:*", allow: ["subscribe", "publish", "history"] }];
    const all = { nbf: NOW_SECS, iss: "https://id.example", aud: "pm", jti: "t1", roles: ["editor"], channels };
    const claims = Claims.parse(claimsOf({ ...all, email: "ada@example.org", admin: true }));
    expect(claims).toMatchObject({ ...all, aud: ["pm"] });
    expect(Object.keys(claims)).not.toContain("email");
  });

  it("given the longest allowed values, when they are parsed, then they are taken", () => {
    const longest = {
      sub: "ü".repeat(64),
      tenant_id: "t".repeat(128),
      jti: "j".repeat(256),
      iss: "i".repeat(1024),
      roles: Array.from({ length: 64 }, () => "r".repeat(128)),
      aud: Array.from({ length: 32 }, () => "a".repeat(1024)),
      channels: Array.from({ length: 256 }, () => ({ pattern: "*".repeat(200), allow: [] })),
    };
    expect(Claims.parse(claimsOf(longest))).toMatchObject(longest);
  });

  it.each([
    ["sub", undefined],
    ["sub", ""],
    ["sub", 42],
    ["sub", null],
    ["sub", ["ada"]],
    ["sub", { toString: "ada" }],
    ["sub", "a".repeat(129)],
    ["sub", "ü".repeat(65)],
    ["sub", "\ud800"],
    ["tenant_id", undefined],
    ["tenant_id", 7],
    ["tenant_id", ["acme"]],
    ["tenant_id", ""],
    ["tenant_id", ".acme"],
    ["tenant_id", "acme/other"],
    ["tenant_id", "acme\n"],
    ["tenant_id", "acme\0"],
    ["tenant_id", "ａcme"],
    ["tenant_id", "a".repeat(129)],
    ["exp", undefined],
    ["exp", null],
    ["exp", "1700003600"],
    ["exp", true],
    ["exp", -1],
    ["exp", 1e308],
    ["exp", Number.POSITIVE_INFINITY],
    ["exp", Number.NaN],
    ["exp", 253_402_300_800],
    ["iat", undefined],
    ["iat", "1700000000"],
    ["nbf", null],
    ["nbf", "1700000000"],
    ["iss", 1],
    ["iss", "i".repeat(1025)],
    ["aud", 1],
    ["aud", ""],
    ["aud", Array.from({ length: 33 }, () => "a")],
    ["jti", 1],
    ["jti", "j".repeat(257)],
    ["roles", "editor"],
    ["roles", null],
    ["roles", Array.from({ length: 65 }, () => "r")],
    ["channels", {}],
    ["channels", null],
    ["channels", Array.from({ length: 257 }, () => ({ pattern: "*", allow: [] }))],
  ])("given %s of %j, when it is parsed, then the claim is refused by name", (claim, value) => {
    expect(errorOf(() => Claims.parse(claimsOf({ [claim]: value })))).toMatchObject({
      code: "INVALID_CLAIM",
      field: claim,
    });
  });

  it.each([
    ["roles[1]", { roles: ["a", 1] }],
    ["roles[0]", { roles: [""] }],
    ["roles[0]", { roles: ["r".repeat(129)] }],
    ["aud[0]", { aud: [null] }],
    ["aud[0]", { aud: ["a".repeat(1025)] }],
    ["channels[0]", { channels: ["*"] }],
    ["channels[0]", { channels: [{ pattern: "*", allow: [], except: "secret:*" }] }],
    ["channels[0].pattern", { channels: [{ allow: ["publish"] }] }],
    ["channels[0].pattern", { channels: [{ pattern: "", allow: [] }] }],
    ["channels[0].pattern", { channels: [{ pattern: "a b", allow: [] }] }],
    ["channels[0].pattern", { channels: [{ pattern: "a".repeat(201), allow: [] }] }],
    [
      "channels[1].pattern",
      {
        channels: [
          { pattern: "a", allow: [] },
          { pattern: ["a"], allow: [] },
        ],
      },
    ],
    ["channels[0].allow", { channels: [{ pattern: "a" }] }],
    ["channels[0].allow", { channels: [{ pattern: "a", allow: "publish" }] }],
    ["channels[0].allow", { channels: [{ pattern: "a", allow: ["presence"] }] }],
    ["channels[0].allow", { channels: [{ pattern: "a", allow: ["publish", "publish", "publish", "publish"] }] }],
    ["channels[0].allow", { channels: [{ pattern: "a", allow: ["Publish"] }] }],
  ])("given a wrong element at %s, when it is parsed, then its place is named", (field, changes) => {
    expect(errorOf(() => Claims.parse(claimsOf(changes)))).toMatchObject({ code: "INVALID_CLAIM", field });
  });

  it.each([undefined, null, 1, "claims", [claimsOf()]])(
    "given %j as payload, when it is parsed, then it is refused",
    (payload) => {
      expect(errorOf(() => Claims.parse(payload)).code).toBe("INVALID_CLAIM");
    },
  );

  it("given a wrong value, when the message is read, then the value is not in it", () => {
    expect(errorOf(() => Claims.parse(claimsOf({ tenant_id: "no/such" }))).message).not.toContain("no/such");
  });
});

describe("Claims.validate", () => {
  const rules = resolveClaimRules();
  const validate = (changes: Record<string, unknown>, nowMs = NOW_MS, given = rules) =>
    Claims.parse(claimsOf(changes)).validate(given, nowMs);

  it("given exp, when the leeway is just not over, then the claims are good, and a millisecond later expired", () => {
    const end = NOW_MS + 10_000 + 30_000;
    expect(() => validate({ exp: NOW_SECS + 10 }, end - 1)).not.toThrow();
    expect(errorOf(() => validate({ exp: NOW_SECS + 10 }, end)).code).toBe("TOKEN_EXPIRED");
  });

  it.each(["iat", "nbf"])(
    "given %s in the future, when it is within the leeway, then it is good, beyond it not",
    (claim) => {
      expect(() => validate({ [claim]: NOW_SECS + 30 })).not.toThrow();
      expect(errorOf(() => validate({ [claim]: NOW_SECS + 30.001 }))).toMatchObject({
        code: "INVALID_CLAIM",
        field: claim,
      });
    },
  );

  it("given a leeway of 0, when it is validated, then exp is exact", () => {
    const exact = resolveClaimRules({ leewaySecs: 0 });
    expect(() => validate({ exp: NOW_SECS + 1 }, NOW_MS + 999, exact)).not.toThrow();
    expect(errorOf(() => validate({ exp: NOW_SECS + 1 }, NOW_MS + 1000, exact)).code).toBe("TOKEN_EXPIRED");
  });

  it("given an issuer to check, when iss is another, of another case, or absent, then it is refused", () => {
    const given = resolveClaimRules({ issuer: ["https://a.example", "https://b.example"] });
    expect(() => validate({ iss: "https://b.example" }, NOW_MS, given)).not.toThrow();
    for (const iss of ["https://c.example", "https://A.example", undefined]) {
      expect(errorOf(() => validate({ iss }, NOW_MS, given))).toMatchObject({ code: "INVALID_CLAIM", field: "iss" });
    }
  });

  it("given an audience to check, when aud does not have it, then it is refused", () => {
    const given = resolveClaimRules({ audience: "pm" });
    expect(() => validate({ aud: ["other", "pm"] }, NOW_MS, given)).not.toThrow();
    for (const aud of ["other", [], undefined]) {
      expect(errorOf(() => validate({ aud }, NOW_MS, given))).toMatchObject({ code: "INVALID_CLAIM", field: "aud" });
    }
  });

  it("given a token that is expired and of another issuer, when it is validated, then it is not said to have expired", () => {
    const given = resolveClaimRules({ issuer: "https://a.example" });
    expect(errorOf(() => validate({ exp: 1 }, NOW_MS, given)).code).toBe("INVALID_CLAIM");
  });

  it("given no time, or options that were not resolved, when they are validated, then nothing passes", () => {
    const missing = [
      { given: rules, nowMs: undefined },
      { given: { issuer: "https://a.example" }, nowMs: NOW_MS },
    ] as unknown as { given: ClaimRules; nowMs: number }[];
    for (const { given, nowMs } of missing) {
      expect(() => Claims.parse(claimsOf()).validate(given, nowMs)).toThrow(AuthError);
    }
  });

  it("given claims, when their validity is read, then it is where validate agrees", () => {
    const claims = Claims.parse(claimsOf({ nbf: NOW_SECS + 100 }));
    const { fromMs, untilMs } = claims.validity(rules);
    for (const good of [fromMs, untilMs - 1]) expect(() => claims.validate(rules, good)).not.toThrow();
    for (const bad of [fromMs - 1, untilMs]) expect(() => claims.validate(rules, bad)).toThrow(AuthError);
  });
});

describe("resolveClaimRules", () => {
  it("given a list of issuers, when it is changed later, then the rules stay as they were", () => {
    const issuer = ["https://a.example"];
    const { issuers } = resolveClaimRules({ issuer });
    issuer.push("https://evil.example");
    expect(issuers).toEqual(["https://a.example"]);
  });

  it.each([
    { leewaySecs: -1 },
    { leewaySecs: 301 },
    { leewaySecs: Number.NaN },
    { issuer: "" },
    { issuer: [] },
    { audience: [""] },
    { audience: [undefined] },
    { audience: null },
    { issuer: 42 },
  ])("given %j, when it is resolved, then it is refused", (options) => {
    expect(() => resolveClaimRules(options as ClaimRulesOptions)).toThrow(
      expect.objectContaining({ code: "INVALID_OPTION" }),
    );
  });
});

describe("contextFromClaims", () => {
  it("given claims, when a context is made, then it says who it is, in whole milliseconds, and cannot be changed", () => {
    const channels = [{ pattern: "a", allow: ["publish"] }];
    const claims = Claims.parse(claimsOf({ exp: NOW_SECS + 0.1234, jti: "t1", roles: ["r"], channels }));
    const context = contextFromClaims(claims);
    expect(context).toEqual({
      tenant: "acme",
      user: "ada",
      roles: ["r"],
      grants: channels,
      expiresAtMs: NOW_MS + 123,
      tokenId: "t1",
    });
    for (const part of [context, context.roles, context.grants, context.grants?.[0], context.grants?.[0]?.allow]) {
      expect(Object.isFrozen(part)).toBe(true);
    }
  });

  it("given no channels claim, when a context is made, then grants are left to the configuration", () => {
    expect(contextFromClaims(Claims.parse(claimsOf())).grants).toBeUndefined();
    expect(contextFromClaims(Claims.parse(claimsOf({ channels: [] }))).grants).toEqual([]);
  });
});
