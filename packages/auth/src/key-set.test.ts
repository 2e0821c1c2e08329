import { describe, expect, it } from "vitest";
import { jwkOf, rsaPair } from "../test/tokens.ts";
import { KeySet } from "./key-set.ts";
import { readKeySetDocument } from "./key-set-document.ts";
import { importKey } from "./verification-key.ts";

const secretKey = (kid?: string) => importKey({ algorithm: "HS256", secret: `secret of ${kid}`, kid });
const [a, b, unnamed] = [secretKey("a"), secretKey("b"), secretKey()];

const read = (keys: unknown) => readKeySetDocument({ keys });

describe("KeySet", () => {
  it("given named keys, when a token names one, then it is that one and no other", () => {
    const keys = new KeySet([a, b]);
    expect([keys.find("a"), keys.find("b"), keys.find("c"), keys.find(undefined)]).toEqual([
      a,
      b,
      undefined,
      undefined,
    ]);
  });

  it("given a key without a name, when a token names none or an unknown one, then it is that one", () => {
    const keys = new KeySet([a, unnamed]);
    expect([keys.find("a"), keys.find("c"), keys.find(undefined)]).toEqual([a, unnamed, unnamed]);
  });

  it("given one named key, when a token names none, then it is that one, but not for another name", () => {
    const keys = new KeySet([a]);
    expect([keys.find(undefined), keys.find("b"), keys.find("__proto__")]).toEqual([a, undefined, undefined]);
  });

  it("given two keys of one name and two without, when they are looked for, then the first of each counts", () => {
    const other = (kid?: string) => importKey({ algorithm: "HS256", secret: "other", kid });
    const keys = new KeySet([a, other("a"), unnamed, other()]);
    expect([keys.size, keys.find("a"), keys.find(undefined)]).toEqual([2, a, unnamed]);
    expect([keys.find("a") === a, keys.find(undefined) === unnamed]).toEqual([true, true]);
  });

  it("given the same key under another name, when the set is replaced, then it is found by that name alone", () => {
    const next = new KeySet([a]).replacedBy([importKey({ algorithm: "HS256", secret: "secret of a", kid: "renamed" })]);
    expect([next.has("renamed"), next.has("a"), next.isCurrent(a)]).toEqual([true, false, false]);
  });

  it("given the same key again under its name, when the set is replaced, then it stays the same object", () => {
    const next = new KeySet([a, b]).replacedBy([
      secretKey("a"),
      importKey({ algorithm: "HS256", secret: "other", kid: "b" }),
    ]);
    expect(next.isCurrent(a)).toBe(true);
    expect(next.isCurrent(b)).toBe(false);
  });
});

describe("readKeySetDocument", () => {
  const [one, two] = [rsaPair(), rsaPair()];

  it("given a set, when it is read, then its RS256 keys are there by name", () => {
    const document = read([jwkOf(one, "one"), jwkOf(two, undefined)]);
    expect(document?.keys.map(({ kid, algorithm }) => [kid, algorithm])).toEqual([
      ["one", "RS256"],
      [undefined, "RS256"],
    ]);
    expect(document?.keys[0]?.material.equals(one.publicKey)).toBe(true);
  });

  it.each([
    ["for encryption", { ...jwkOf(one, "k"), use: "enc" }],
    ["for another algorithm", { ...jwkOf(one, "k"), alg: "RS512" }],
    ["for other operations", { ...jwkOf(one, "k"), key_ops: ["encrypt"] }],
    ["that is symmetric", { kty: "oct", k: "AAAA", kid: "k" }],
    ["that is too short", jwkOf(rsaPair(1024), "k")],
    ["without modulus", { kty: "RSA", e: "AQAB", kid: "k" }],
    ["with operations that are no list", { ...jwkOf(one, "k"), key_ops: "verify" }],
    ["of another kind than it looks", { ...jwkOf(one, "k"), kty: "EC" }],
    ["with a number as name", { ...jwkOf(one, undefined), kid: 7 }],
    ["with an empty name", jwkOf(one, "")],
    ["that is no object", "k"],
  ])("given a key %s, when the set is read, then it is passed over", (_, jwk) => {
    expect(read([jwk, jwkOf(two, "two")])).toMatchObject({ keys: [{ kid: "two" }], ignored: 1 });
  });

  it("given a private key in a set, when it is read, then only its public half is taken", () => {
    const jwk = { ...one.privateKey.export({ format: "jwk" }), kid: "one" };
    expect(read([jwk])?.keys[0]?.material.type).toBe("public");
  });

  it("given more keys than may be, when they are read, then the rest is passed over", () => {
    const document = read(Array.from({ length: 70 }, (_, i) => jwkOf(one, `k${i}`)));
    expect([document?.keys.length, document?.ignored]).toEqual([64, 6]);
  });

  it.each([undefined, null, [], {}, { keys: {} }, { keys: "none" }])(
    "given %j, when it is read, then it is no key set",
    (document) => {
      expect(readKeySetDocument(document)).toBeUndefined();
    },
  );
});
