import { describe, expect, it } from "vitest";
import { redactTokens } from "./redact-tokens.ts";

const HEADER = "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9";
const PAYLOAD = "eyJzdWIiOiJ1c2VyLTEiLCJ0ZW5hbnRfaWQiOiJhY21lIn0";
const SIGNATURE = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
const TOKEN = `${HEADER}.${PAYLOAD}.${SIGNATURE}`;

describe("redactTokens", () => {
  it.each([
    [TOKEN, "[redacted]"],
    [`got ${TOKEN}, sorry`, "got [redacted], sorry"],
    [`pm.v1.bearer.${TOKEN}`, "pm.v1.bearer.[redacted]"],
    [`/ws?token=${TOKEN}&x=1`, "/ws?token=[redacted]&x=1"],
    [`x${TOKEN}`, "x[redacted]"],
    [`"${TOKEN}" and "${TOKEN}"`, '"[redacted]" and "[redacted]"'],
    // Cut, unsigned, encrypted (five parts), with a space or a line break in its header.
    [`${HEADER}.${PAYLOAD.slice(0, 5)}`, "[redacted]"],
    [HEADER, "[redacted]"],
    [`${HEADER}.${PAYLOAD}.`, "[redacted]"],
    [`${HEADER}..${PAYLOAD}.${PAYLOAD}.${SIGNATURE}`, "[redacted]"],
    [`${Buffer.from('{ "alg":"HS256"}').toString("base64url")}.${PAYLOAD}.${SIGNATURE}`, "[redacted]"],
    [`${Buffer.from('{\n"alg":"HS256"}').toString("base64url")}.${PAYLOAD}.${SIGNATURE}`, "[redacted]"],
    // The beginning of a header alone, however it is spaced.
    ["eyJhbGciOiJ", "[redacted]"],
    [Buffer.from('{ "alg":"HS256"}').toString("base64url"), "[redacted]"],
    [Buffer.from('{\n"alg":"HS256"}').toString("base64url"), "[redacted]"],
    [Buffer.from('{\r\n"alg":"HS256"}').toString("base64url"), "[redacted]"],
    [Buffer.from('{\t"alg":"HS256"}').toString("base64url"), "[redacted]"],
    // One that begins within a word is a token by what follows, one without a header by the lengths of its parts.
    ["xeyJhbGciOiJ.abcdefgh", "x[redacted]"],
    [`${"h".repeat(10)}.${"p".repeat(16)}.${"s".repeat(32)}`, "[redacted]"],
    [`${Buffer.from(' {"alg":"HS256"}').toString("base64url")}.${PAYLOAD}.${SIGNATURE}`, "[redacted]"],
    ["Authorization: Bearer abc", "Authorization: Bearer [redacted]"],
    ["authorization: bearer s3cret-key", "authorization: bearer [redacted]"],
    ["BEARER abc", "BEARER [redacted]"],
    ["bearer abcdefghijklm", "bearer [redacted]"],
    [`Bearer ${TOKEN}`, "Bearer [redacted]"],
  ])("given %j when it is redacted then it is %j", (text, expected) => {
    expect(redactTokens(text)).toBe(expected);
  });

  it.each([
    "",
    "www.example.com",
    "ip-10-0-0-1.eu-central-1.compute.internal",
    "file:///app/node_modules/.pnpm/ws@8.23.0/node_modules/ws/lib/websocket.js:1:2",
    "1.2.3",
    "127.0.0.1:3000",
    "keyboard-layout.settings",
    "xeyJhbGciOiJ.abcdefg",
    `${"h".repeat(9)}.${"p".repeat(16)}.${"s".repeat(32)}`,
    `${"h".repeat(10)}.${"p".repeat(15)}.${"s".repeat(32)}`,
    `${"h".repeat(10)}.${"p".repeat(16)}.${"s".repeat(31)}`,
    "019a1b2c-3d4e-7f50-8a9b-0c1d2e3f4a5b",
    "A bearer token is required.",
    "The Authorization header must be of the scheme Bearer.",
    "bearer tokens, as they are",
    "bearer abcdefghijkl",
  ])("given %j when it is redacted then it stays", (text) => {
    expect(redactTokens(text)).toBe(text);
  });

  it.each(["e", "eyJ", "a.", "aaaaaaaaaaaa.", "bearer ", "eyJaaaaaaaa"])(
    "given 64 KiB of %j when it is redacted then it is done at once",
    (unit) => {
      const text = unit.repeat(Math.ceil(65_536 / unit.length));
      const start = performance.now();
      redactTokens(text);
      expect(performance.now() - start).toBeLessThan(500);
    },
  );
});
