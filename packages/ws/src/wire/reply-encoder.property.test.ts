import { encodeServerElement, RecoveryMiss, type ServerMessageInit } from "@pm/proto";
import * as fc from "fast-check";
import { expect, test } from "vitest";
import { encodeReply } from "./reply-encoder.ts";

const text = fc.string({ unit: "binary", maxLength: 70 }).filter((value) => value.isWellFormed());
const uint32 = fc.oneof(fc.constant(0), fc.nat({ max: 300 }), fc.nat({ max: 2 ** 31 - 1 }), fc.constant(2 ** 32 - 1));
const whole = fc.oneof(fc.constant(0n), fc.bigInt({ min: 0n, max: BigInt(Number.MAX_SAFE_INTEGER) }));
const position = fc.option(fc.record({ epoch: text, offset: whole, check: uint32 }), { nil: undefined });
const missing = fc.constantFrom(RecoveryMiss.UNSPECIFIED, RecoveryMiss.RETENTION, RecoveryMiss.SKIPPED);

const published = fc
  .record({ position, duplicate: fc.boolean(), messageId: text })
  .map(({ position: at, ...rest }) => ({
    case: "published" as const,
    value: { ...rest, ...(at && { position: at }) },
  }));

const subscribed = fc
  .record({ channel: text, position, recovered: fc.boolean(), miss: missing, missedCount: whole, top: position })
  .map(({ position: at, top, ...rest }) => ({
    case: "subscribed" as const,
    value: { ...rest, ...(at && { position: at }), ...(top && { top }) },
  }));

const welcome = fc
  .record({
    connectionId: text,
    nodeId: text,
    heartbeatIntervalMs: uint32,
    heartbeatTimeoutMs: uint32,
    tokenExpiresAtMs: whole,
    limits: fc.record({
      maxMessageBytes: uint32,
      maxFrameBytes: uint32,
      maxSubscriptions: uint32,
      maxHistory: uint32,
      idempotencyWindowMs: uint32,
    }),
    tenantId: text,
    userId: text,
    serverTimeMs: whole,
    features: fc.array(
      text.filter((value) => value !== ""),
      { maxLength: 3 },
    ),
  })
  .map((value) => ({ case: "welcome" as const, value }));

function isSameAsGenerated(message: ServerMessageInit): void {
  expect(encodeReply(message, "proto").toString("hex")).toBe(
    Buffer.from(encodeServerElement(message, "proto")).toString("hex"),
  );
}

test("given a Published or Subscribed, when it is written by hand, then the bytes are those of the generated encoder", () => {
  fc.assert(
    fc.property(uint32, fc.oneof(published, subscribed), (replyTo, body) => isSameAsGenerated({ replyTo, body })),
  );
});

test("given a Welcome, when it is written by hand, then the bytes are those of the generated encoder", () => {
  fc.assert(fc.property(welcome, (body) => isSameAsGenerated({ body })));
});
