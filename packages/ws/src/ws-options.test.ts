import { expect, test } from "vitest";
import { resolveWsOptions, type WsOptions } from "./ws-options.ts";

test("given no options, when they are resolved, then each has its documented default", () => {
  expect(resolveWsOptions()).toEqual({
    path: "/ws",
    maxMessageBytes: 65_536,
    maxSubscriptions: 128,
    maxQueuedReplyBytes: 1_048_576,
    maxQueuedReplies: 8192,
    highWaterBytes: 65_536,
    minDrainBytesPerSec: 1024,
    maxInFlight: 512,
    maxPendingBytesPerTenant: 4_194_304,
    maxChannelsPerTenant: 100_000,
    maxConnectionsPerTenant: 1000,
    maxTotalConnections: 10_000,
    maxHandshakes: 512,
    handshakeTimeoutSecs: 5,
    heartbeatIntervalSecs: 25,
    heartbeatTimeoutSecs: 10,
    messageTimeoutSecs: 30,
    expiryGraceSecs: 30,
    allowedOrigins: new Set(),
    defaultGrants: "allow",
    nodeId: "pm",
    limits: expect.any(Object),
  });
});

test("given options, when they are resolved, then they are taken over", () => {
  const options: WsOptions = { path: "/live", maxInFlight: 1, defaultGrants: "deny", nodeId: "n1", expiryGraceSecs: 0 };
  expect(resolveWsOptions(options)).toMatchObject(options);
  expect(resolveWsOptions({ allowedOrigins: ["https://a.test"] }).allowedOrigins).toEqual(new Set(["https://a.test"]));
});

test.each([
  [{ maxMessageBytes: 1023 }, "maxMessageBytes is 1023 (at least 1024)"],
  [{ highWaterBytes: 65_535 }, "highWaterBytes is 65535 (at least 65536)"],
  [{ maxQueuedReplies: 15 }, "maxQueuedReplies is 15 (at least 16)"],
  [{ maxSubscriptions: Number.NaN }, "maxSubscriptions is NaN (at least 1)"],
  [{ maxTotalConnections: Number.POSITIVE_INFINITY }, "maxTotalConnections is Infinity (at least 1)"],
  [{ heartbeatIntervalSecs: 0.5 }, "heartbeatIntervalSecs is 0.5 (at least 1)"],
  [{ heartbeatTimeoutSecs: 0.5 }, "heartbeatTimeoutSecs is 0.5 (at least 1)"],
  [{ maxSubscriptions: 10.5 }, "maxSubscriptions is 10.5 (a whole number of at most 4294967295)"],
  [{ maxMessageBytes: 2 ** 32 }, "maxMessageBytes is 4294967296 (a whole number of at most 4294967295)"],
  [{ heartbeatIntervalSecs: 5_000_000 }, "heartbeatIntervalSecs is 5000000 (at most 4294967.295)"],
  [{ minDrainBytesPerSec: -1 }, "minDrainBytesPerSec is -1 (at least 0)"],
] as const)("given %j, when it is resolved, then the refusal names value and limit", (options, problem) => {
  expect(() => resolveWsOptions(options)).toThrow(new RangeError(problem));
});

test("given options, when a client is told its limits, then they are those in force", () => {
  expect(resolveWsOptions({ maxMessageBytes: 2048, maxSubscriptions: 3 }).limits).toEqual({
    maxMessageBytes: 2048,
    maxFrameBytes: 2048,
    maxSubscriptions: 3,
    maxHistory: 1000,
    idempotencyWindowMs: 300_000,
  });
});
