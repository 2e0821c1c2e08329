import { describe, expect, it } from "vitest";
import { isLoopbackHost } from "./loopback-host.ts";

describe("isLoopbackHost", () => {
  it.each(["localhost", "LocalHost:3001", "127.0.0.1", "127.1.2.3:1", "[::1]", "[::1]:65535", "[::ffff:127.0.0.1]:80"])(
    "given %s, when asked, then it is one",
    (host) => {
      expect(isLoopbackHost(host)).toBe(true);
    },
  );

  it.each([
    undefined,
    "",
    ":3001",
    "pm.example.com",
    "localhost.example.com",
    "127.0.0.1.example.com",
    "localhost@evil.example",
    "evil.example#localhost",
    "localhost:",
    "localhost:x",
    "localhost:1:2",
    "10.0.0.1",
    "128.0.0.1",
    "::1",
    "[::2]",
    "[localhost]",
    "0.0.0.0",
    "localhost, evil.example",
  ])("given %j, when asked, then it is none", (host) => {
    expect(isLoopbackHost(host)).toBe(false);
  });
});
