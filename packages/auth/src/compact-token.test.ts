import { describe, expect, it } from "vitest";
import { claimsOf, encode, hs256 } from "../test/tokens.ts";
import { AuthError } from "./auth-error.ts";
import { MAX_TOKEN_LENGTH, readTokenHeader } from "./compact-token.ts";

const PAYLOAD = encode(claimsOf());
const withHeader = (header: unknown): string => `${encode(header)}.${PAYLOAD}.c2ln`;

function errorOf(token: string): AuthError {
  try {
    readTokenHeader(token);
  } catch (error) {
    if (error instanceof AuthError) return error;
    throw error;
  }
  throw new Error("nothing was thrown");
}

describe("readTokenHeader", () => {
  it("given a token, when its header is read, then algorithm and kid are there", () => {
    expect(readTokenHeader(hs256(claimsOf()))).toEqual({ algorithm: "HS256", kid: undefined });
    expect(readTokenHeader(withHeader({ alg: "RS256", kid: "k1", typ: "JWT" }))).toEqual({
      algorithm: "RS256",
      kid: "k1",
    });
    expect(readTokenHeader(withHeader({ alg: "HS256", kid: "k".repeat(256) })).kid).toHaveLength(256);
  });

  it.each(["JWT", "jwt", "at+jwt", "application/at+jwt", "Application/JWT"])(
    "given typ %s, when it is read, then it is taken",
    (typ) => {
      expect(readTokenHeader(withHeader({ alg: "HS256", typ })).algorithm).toBe("HS256");
    },
  );

  it.each([
    "",
    ".",
    "..",
    "...",
    "a.b",
    hs256(claimsOf()).split(".").slice(0, 2).join("."),
    `${hs256(claimsOf())}.`,
    `${hs256(claimsOf())}.c2ln`,
    ` ${hs256(claimsOf())}`,
    `${hs256(claimsOf())}\n`,
    `${hs256(claimsOf())}=`,
    `${encode({ alg: "HS256" })}.${PAYLOAD}.`,
    `.${PAYLOAD}.c2ln`,
    `${encode({ alg: "HS256" })}..c2ln`,
    `${encode({ alg: "HS256" })}.${PAYLOAD}.c2l+`,
    `${encode({ alg: "HS256" })}.${PAYLOAD}.c2lnü`,
    `${encode({ alg: "HS256" })}.${PAYLOAD}.c2lnA`,
    `${encode('{"alg":"HS256"')}.${PAYLOAD}.c2ln`,
    `${encode('{"alg":"none","alg":"HS256"}')}.${PAYLOAD}.c2ln`,
    `${encode(["HS256"])}.${PAYLOAD}.c2ln`,
    `${encode("null")}.${PAYLOAD}.c2ln`,
    JSON.stringify({ protected: encode({ alg: "HS256" }), payload: PAYLOAD, signature: "c2ln" }),
  ])("given %j, when it is read, then it is undecodable", (token) => {
    expect(errorOf(token).code).toBe("JWT_DECODE_FAILED");
  });

  it("given an ending with bits that stand for nothing, when it is read, then it is undecodable", () => {
    for (const signature of ["QQ", "QUE", "QUFB"]) {
      expect(readTokenHeader(`${encode({ alg: "HS256" })}.${PAYLOAD}.${signature}`).algorithm).toBe("HS256");
    }
    for (const altered of ["QR", "Qf", "QUF", "QUH"]) {
      expect(Buffer.from(altered, "base64url").toString("base64url")).not.toBe(altered);
      expect(errorOf(`${encode({ alg: "HS256" })}.${PAYLOAD}.${altered}`).code).toBe("JWT_DECODE_FAILED");
    }
  });

  it("given a token of the longest length, when one character more comes, then it is refused unread", () => {
    const start = `${encode({ alg: "HS256" })}.`;
    const token = (length: number) => `${start}${"A".repeat(length - start.length - 5)}.AAAA`;
    const longest = [MAX_TOKEN_LENGTH, MAX_TOKEN_LENGTH - 1, MAX_TOKEN_LENGTH - 2].map(token);
    expect(longest.filter((text) => readable(text)).length).toBeGreaterThan(0);
    expect(errorOf(token(MAX_TOKEN_LENGTH + 1)).message).toContain("8193 characters (max 8192)");
  });

  it.each([
    { alg: "none" },
    { alg: "None" },
    { alg: "nOnE" },
    { alg: "" },
    {},
    { alg: null },
    { alg: ["HS256"] },
    { alg: "hs256" },
    { alg: "HS384" },
    { alg: "HS512" },
    { alg: "PS256" },
    { alg: "ES256" },
    { alg: "EdDSA" },
    { alg: "RS256 " },
    { alg: "dir", enc: "A256GCM" },
    { alg: "HS256", crit: ["exp"] },
    { alg: "HS256", crit: ["b64"], b64: false },
    { alg: "HS256", crit: [] },
    { alg: "HS256", crit: null },
    { alg: "HS256", jwk: { kty: "oct", k: "AAAA" } },
    { alg: "RS256", jku: "https://evil.example/jwks" },
    { alg: "RS256", x5u: "https://evil.example/x5u" },
    { alg: "RS256", x5c: ["AAAA"] },
    { alg: "HS256", typ: "logout+jwt" },
    { alg: "HS256", typ: "dpop+jwt" },
    { alg: "HS256", typ: "at+application/jwt" },
    { alg: "HS256", typ: 1 },
    { alg: "HS256", kid: 1 },
    { alg: "HS256", kid: null },
    { alg: "HS256", kid: "k".repeat(257) },
  ])("given the header %j, when it is read, then the token is refused", (header) => {
    expect(errorOf(withHeader(header)).code).toBe("INVALID_TOKEN");
  });
});

function readable(token: string): boolean {
  try {
    return readTokenHeader(token).algorithm === "HS256";
  } catch {
    return false;
  }
}
