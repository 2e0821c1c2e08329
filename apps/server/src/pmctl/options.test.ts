import { describe, expect, it } from "vitest";
import { collectChannel } from "./channel-argument.ts";
import { parseCount } from "./count-option.ts";
import { parseDuration } from "./duration-option.ts";
import { collectGrant } from "./grant-option.ts";
import { formatPosition, parsePosition } from "./position-option.ts";
import { parseServerUrl } from "./server-url-option.ts";

describe("options of pmctl", () => {
  it.each([
    ["1", 1],
    ["90s", 90],
    ["15m", 900],
    ["12h", 43_200],
    ["365d", 31_536_000],
  ])("given the time %s then it is %i seconds", (text, secs) => {
    expect(parseDuration(text)).toBe(secs);
  });

  it.each(["", "0", "366d", "1.5h", "-1s", "1w", "h"])("given the time %j then it is refused", (text) => {
    expect(() => parseDuration(text)).toThrow("Expected a time");
  });

  it.each(["0", "-1", "1.5", "", "1e3", "1000000001", "99999999999"])(
    "given the count %j then it is refused",
    (text) => {
      expect(() => parseCount(text)).toThrow("Expected a whole number");
      expect([parseCount("1"), parseCount("1000000000")]).toEqual([1, 1_000_000_000]);
    },
  );

  it("given grants one after the other then they add up, and the pattern is all after the first colon", () => {
    const first = collectGrant("publish,subscribe:project:*");
    expect(collectGrant("all:a:b:c", first)).toEqual([
      { pattern: "project:*", allow: ["subscribe", "publish"] },
      { pattern: "a:b:c", allow: ["subscribe", "publish", "history"] },
    ]);
  });

  it.each(["", "subscribe", ":x", "read:x", "subscribe,:x", "subscribe:", "subscribe:a b", `all:${"x".repeat(201)}`])(
    "given the grant %j then it is refused",
    (text) => {
      expect(() => collectGrant(text)).toThrow("Expected actions, a colon and a pattern");
    },
  );

  it("given a position then it is written as it is read", () => {
    const position = { epoch: "h6f-_x", offset: 9_007_199_254_740_991n, check: 4_294_967_295 };
    expect(parsePosition(formatPosition(position))).toEqual(position);
  });

  it.each(["e:1", "e:1:2:3", ":1:2", "e:x:2", "e:1:4294967296", "e:9007199254740992:1", "e f:1:2"])(
    "given the position %j then it is refused",
    (text) => {
      expect(() => parsePosition(text)).toThrow("Expected epoch:offset:check");
    },
  );

  it.each([
    ["ws://127.0.0.1:3000/ws", "ws://127.0.0.1:3000/ws"],
    ["wss://pm.example.com", "wss://pm.example.com/ws"],
    ["http://localhost:3000", "ws://localhost:3000/ws"],
    ["https://pm.example.com/edge/ws", "wss://pm.example.com/edge/ws"],
  ])("given the address %s then it is %s", (text, url) => {
    expect(parseServerUrl(text)).toBe(url);
  });

  it.each(["localhost:3000", "ftp://a", "", "ws://a/ws#x", "ws://a/ws?token=x"])(
    "given the address %j then it is refused",
    (text) => {
      expect(() => parseServerUrl(text)).toThrow("Expected");
    },
  );

  it("given a channel twice then it counts once", () => {
    expect(collectChannel("a", collectChannel("b", collectChannel("a")))).toEqual(["a", "b"]);
    expect(() => collectChannel("a b")).toThrow("Expected 1 to 200");
  });
});
