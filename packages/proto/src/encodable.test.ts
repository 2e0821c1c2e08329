import { create } from "@bufbuild/protobuf";
import { describe, expect, it } from "vitest";
import { encodableCheck } from "./encodable.ts";
import type { RecoveryMiss } from "./gen/pm/v1/log_pb.ts";
import { ServerMessageSchema } from "./gen/pm/v1/server_pb.ts";
import type { ServerMessageInit } from "./server-frame-codec.ts";

const check = encodableCheck(ServerMessageSchema);
const checked = (init: ServerMessageInit): void => check(create(ServerMessageSchema, init));

describe("encodableCheck", () => {
  it.each<[string, ServerMessageInit]>([
    ["nothing set", {}],
    [
      "the greatest numbers",
      { replyTo: 2 ** 32 - 1, body: { case: "lagged", value: { missedCount: 2n ** 64n - 1n } } },
    ],
    ["the least int64", { body: { case: "tokenRefreshed", value: { serverTimeMs: -(2n ** 63n) } } }],
    ["an enum value of the future", { body: { case: "lagged", value: { reason: 99 as RecoveryMiss } } }],
    ["an unset message inside", { body: { case: "subscribed", value: { channel: "a" } } }],
    ["a surrogate pair", { body: { case: "goAway", value: { reason: "\u{1f600}" } } }],
    [
      "bytes",
      { body: { case: "publication", value: { payload: { kind: { case: "data", value: new Uint8Array(3) } } } } },
    ],
  ])("given %s, when it is checked, then it may be encoded", (_, init) => {
    expect(() => checked(init)).not.toThrow();
  });

  it.each<[string, ServerMessageInit, string]>([
    ["a fraction", { replyTo: 1.5 }, "pm.v1.ServerMessage.reply_to cannot be 1.5"],
    ["a negative number", { replyTo: -1 }, "pm.v1.ServerMessage.reply_to cannot be -1"],
    ["more than 32 bits", { replyTo: 2 ** 32 }, "pm.v1.ServerMessage.reply_to cannot be 4294967296"],
    [
      "more than 32 bits in a fixed number",
      { body: { case: "publication", value: { check: 2 ** 32 } } },
      "pm.v1.Publication.check cannot be 4294967296",
    ],
    [
      "no finite number",
      { body: { case: "error", value: { retryAfterMs: Number.POSITIVE_INFINITY } } },
      "pm.v1.Error.retry_after_ms cannot be Infinity",
    ],
    [
      "a negative offset inside",
      { body: { case: "subscribed", value: { position: { offset: -1n } } } },
      "pm.v1.StreamPosition.offset cannot be -1",
    ],
    [
      "more than 64 bits",
      { body: { case: "lagged", value: { missedCount: 2n ** 64n } } },
      "pm.v1.Lagged.missed_count cannot be 18446744073709551616",
    ],
    [
      "more than 63 bits and a sign",
      { body: { case: "tokenRefreshed", value: { serverTimeMs: 2n ** 63n } } },
      "pm.v1.TokenRefreshed.server_time_ms cannot be 9223372036854775808",
    ],
    [
      "half a surrogate pair",
      { body: { case: "publication", value: { publisher: "a\ud800" } } },
      'pm.v1.Publication.publisher cannot be "a\\ud800"',
    ],
    [
      "half a surrogate pair in a list",
      { body: { case: "welcome", value: { features: ["a", "\udc00"] } } },
      'pm.v1.Welcome.features cannot be "\\udc00"',
    ],
    [
      "half a surrogate pair in an item of a list",
      {
        body: {
          case: "historyPage",
          value: { publications: [{}, { payload: { kind: { case: "json", value: "\ud800" } } }] },
        },
      },
      'pm.v1.Payload.json cannot be "\\ud800"',
    ],
    [
      "an enum value beyond 32 bits",
      { body: { case: "lagged", value: { reason: (2 ** 31) as RecoveryMiss } } },
      "pm.v1.Lagged.reason cannot be 2147483648",
    ],
  ])("given %s, when it is checked, then it is refused and the field is named", (_, init, problem) => {
    expect(() => checked(init)).toThrow(
      expect.objectContaining({ code: "ENCODE_ERROR", cause: expect.objectContaining({ message: problem }) }),
    );
  });
});
