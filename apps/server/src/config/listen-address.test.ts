import { describe, expect, it } from "vitest";
import { addressesCollide, formatListenAddress, isLoopback, parseListenAddress } from "./listen-address.ts";

describe("parseListenAddress", () => {
  it.each([
    ["0.0.0.0:3000", { host: "0.0.0.0", port: 3000 }],
    ["127.0.0.1:0", { host: "127.0.0.1", port: 0 }],
    ["[::]:3000", { host: "::", port: 3000 }],
    ["[::1]:65535", { host: "::1", port: 65_535 }],
    ["localhost:80", { host: "localhost", port: 80 }],
    ["pm-0.internal:3000", { host: "pm-0.internal", port: 3000 }],
    [`${"a".repeat(253)}:80`, { host: "a".repeat(253), port: 80 }],
  ])("given %s when it is read then it is an address that is written the same", (text, address) => {
    expect(parseListenAddress(text)).toEqual(address);
    expect(formatListenAddress(address)).toBe(text);
  });

  it.each([
    "",
    "3000",
    ":3000",
    "0.0.0.0",
    "0.0.0.0:",
    "0.0.0.0:65536",
    "0.0.0.0:-1",
    "0.0.0.0:3.5",
    "256.0.0.1:80",
    "1.2.3:80",
    "::1:80",
    "[::1]",
    "[::g]:80",
    "[127.0.0.1]:80",
    "a..b:80",
    `${"a".repeat(254)}:80`,
    "-a:80",
    "a b:80",
    "http://a:80",
    "0.0.0.0:3000/",
  ])("given %j when it is read then it is none", (text) => {
    expect(parseListenAddress(text)).toBeUndefined();
  });
});

describe("isLoopback", () => {
  it.each(["127.0.0.1", "127.9.9.9", "::1", "localhost", "LocalHost", "::FFFF:127.0.0.1"])(
    "given %s then yes",
    (host) => {
      expect(isLoopback({ host, port: 1 })).toBe(true);
    },
  );

  it.each(["0.0.0.0", "::", "10.0.0.1", "127.evil.example", "example.com"])("given %s then no", (host) => {
    expect(isLoopback({ host, port: 1 })).toBe(false);
  });
});

describe("addressesCollide", () => {
  it.each([
    ["127.0.0.1:3000", "127.0.0.1:3000", true],
    ["0.0.0.0:3000", "127.0.0.1:3000", true],
    ["127.0.0.1:3000", "[::]:3000", true],
    ["127.0.0.1:3000", "127.0.0.1:3001", false],
    ["127.0.0.1:3000", "10.0.0.1:3000", false],
    ["127.0.0.1:0", "127.0.0.1:0", false],
  ])("given %s and %s then %s", (a, b, collide) => {
    const [first, second] = [parseListenAddress(a), parseListenAddress(b)];
    expect(first && second && addressesCollide(first, second)).toBe(collide);
  });
});
