import { fromBinary } from "@bufbuild/protobuf";
import { parseChannelName } from "@pm/core";
import { encodeServerElement, PublicationSchema, RecoveryMiss } from "@pm/proto";
import * as fc from "fast-check";
import { expect, test } from "vitest";
import { encodePublication, publicationOf } from "./publication-encoder.ts";
import { encodeReply, type ReplyBody } from "./reply-encoder.ts";

const text = fc.string({ unit: "binary", maxLength: 70 }).filter((value) => value.isWellFormed());
const uint32 = fc.oneof(fc.constant(0), fc.nat({ max: 300 }), fc.nat({ max: 2 ** 31 - 1 }), fc.constant(2 ** 32 - 1));
const whole = fc.oneof(fc.constant(0n), fc.bigInt({ min: 0n, max: BigInt(Number.MAX_SAFE_INTEGER) }));
const anyPosition = fc.record({ epoch: text, offset: whole, check: uint32 });
const position = fc.option(anyPosition, { nil: undefined });
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

const publication = fc
  .record({
    channel: fc.constant(parseChannelName("room:1")),
    offset: fc.maxSafeNat(),
    check: uint32,
    payload: fc.option(
      text.map((json) => ({ kind: "json" as const, json })),
      { nil: undefined },
    ),
    event: text,
    publisher: text,
    publishedAtMs: fc.maxSafeNat(),
    idPrefix: fc.constant("n"),
    traceParent: text,
  })
  .map(encodePublication);

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

const historyPage = fc.record({
  position: anyPosition,
  more: fc.boolean(),
  miss: missing,
  top: anyPosition,
  many: fc.array(publication),
});

function isSameAsGenerated(replyTo: number, body: Exclude<ReplyBody, { case: "historyPage" }>): void {
  expect(encodeReply(replyTo, body, "proto").toString("hex")).toBe(
    Buffer.from(encodeServerElement({ replyTo, body }, "proto")).toString("hex"),
  );
}

test("given a Published or Subscribed, when it is written by hand, then the bytes are those of the generated encoder", () => {
  fc.assert(fc.property(uint32, fc.oneof(published, subscribed), isSameAsGenerated));
});

test("given a Welcome, when it is written by hand, then the bytes are those of the generated encoder", () => {
  fc.assert(fc.property(welcome, (body) => isSameAsGenerated(0, body)));
});

test("given a page of a log, when its publications are copied, then the bytes are those of the generated encoder", () => {
  fc.assert(
    fc.property(
      uint32,
      fc.constantFrom("proto" as const, "json" as const),
      historyPage,
      (replyTo, encoding, { many, ...value }) => {
        const publications = many.map((frame) => fromBinary(PublicationSchema, publicationOf(frame)));
        const generated = { replyTo, body: { case: "historyPage" as const, value: { ...value, publications } } };
        expect(encodeReply(replyTo, { case: "historyPage", value, frames: many }, encoding).toString("latin1")).toBe(
          Buffer.from(encodeServerElement(generated, encoding)).toString("latin1"),
        );
      },
    ),
  );
});
