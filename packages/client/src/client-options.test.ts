import { describe, expect, it } from "vitest";
import { resolveClientOptions } from "./client-options.ts";
import { systemClock } from "./platform/clock.ts";
import { pageEvents } from "./platform/network-events.ts";
import { systemRandomness } from "./platform/randomness.ts";
import { openWebSocket } from "./platform/socket.ts";

describe("resolveClientOptions", () => {
  it("given nothing but a URL and getToken, when they are resolved, then all else is as documented", () => {
    const getToken = (): string => "token";
    expect(resolveClientOptions({ url: "wss://server/ws", getToken })).toEqual({
      url: "wss://server/ws",
      getToken,
      encoding: "proto",
      maxQueuedPublications: 1000,
      maxPendingPublishes: 1000,
      maxPublishWaitMs: 300_000,
      connectTimeoutMs: 10_000,
      replyTimeoutMs: 30_000,
      tokenTimeoutMs: 30_000,
      sessionId: expect.stringMatching(/^[0-9a-f]{32}$/) as string,
      clock: systemClock,
      random: systemRandomness,
      networkEvents: pageEvents,
      openSocket: openWebSocket,
    });
  });
});

describe("systemRandomness", () => {
  it("given many ids, when they are drawn, then each has 128 bits as text, and no two are alike", () => {
    const ids = Array.from({ length: 100 }, () => systemRandomness.id());
    for (const id of ids) expect(id).toMatch(/^[0-9a-f]{32}$/);
    expect(new Set(ids).size).toBe(100);
  });
});
