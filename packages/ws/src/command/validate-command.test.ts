import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { StringCache } from "@pm/core";
import { ClientMessageSchema } from "@pm/proto";
import { describe, expect, test } from "vitest";
import type { Command } from "./command.ts";
import { MAX_HISTORY, validateCommand } from "./validate-command.ts";

type Body = NonNullable<MessageInitShape<typeof ClientMessageSchema>["body"]>;

const LONE_SURROGATE = "\ud800";

function validate(body: Body): Command {
  return validateCommand(create(ClientMessageSchema, { id: 1, body }), new StringCache());
}

function publish(kind: { case: "json"; value: string } | { case: "data"; value: Uint8Array<ArrayBuffer> }): Command {
  return validate({ case: "publish", value: { channel: "a", payload: { kind } } });
}

function read(limit: number): Command {
  return validate({ case: "readHistory", value: { channel: "a", limit, backward: true } });
}

const refused: readonly (readonly [problem: string, field: string, body: Body])[] = [
  ["no body", "body", { case: undefined }],
  ["an empty channel", "channel", { case: "publish", value: {} }],
  ["a channel outside the grammar", "channel", { case: "subscribe", value: { channel: "a b" } }],
  ["a channel of 201 characters", "channel", { case: "unsubscribe", value: { channel: "a".repeat(201) } }],
  ["no channel to read", "channel", { case: "readHistory", value: {} }],
  ["a long event", "event", { case: "publish", value: { channel: "a", event: "e".repeat(65) } }],
  ["an event long in bytes", "event", { case: "publish", value: { channel: "a", event: "\u20ac".repeat(22) } }],
  ["a broken event", "event", { case: "publish", value: { channel: "a", event: LONE_SURROGATE } }],
  ["a long key", "idempotency_key", { case: "publish", value: { channel: "a", idempotencyKey: "k".repeat(65) } }],
  ["a long trace parent", "trace_parent", { case: "publish", value: { channel: "a", traceParent: "t".repeat(129) } }],
  [
    "a broken payload",
    "payload.json",
    { case: "publish", value: { channel: "a", payload: { kind: { case: "json", value: LONE_SURROGATE } } } },
  ],
  ["since and rewind", "rewind", { case: "subscribe", value: { channel: "a", since: {}, rewind: 1 } }],
  ["a large rewind", "rewind", { case: "subscribe", value: { channel: "a", rewind: MAX_HISTORY + 1 } }],
  ["a long epoch", "since.epoch", { case: "subscribe", value: { channel: "a", since: { epoch: "e".repeat(65) } } }],
  ["an offset of 2^53", "since.offset", { case: "subscribe", value: { channel: "a", since: { offset: 2n ** 53n } } }],
  [
    "an offset of 2^53 to read from",
    "since.offset",
    { case: "readHistory", value: { channel: "a", since: { offset: 2n ** 53n } } },
  ],
  ["a large limit", "limit", { case: "readHistory", value: { channel: "a", limit: MAX_HISTORY + 1 } }],
  ["a long token", "token", { case: "refreshToken", value: { token: "t".repeat(8193) } }],
  ["a long session", "session_id", { case: "hello", value: { sessionId: "s".repeat(65) } }],
  ["a long sdk", "sdk", { case: "hello", value: { sdk: "s".repeat(129) } }],
  ["33 features", "features", { case: "hello", value: { features: Array<string>(33).fill("f") } }],
  ["a long feature", "features", { case: "hello", value: { features: ["f".repeat(65)] } }],
];

describe("refusals", () => {
  test.each(refused)("given %s, when it is validated, then INVALID_MESSAGE names the field %s", (_, field, body) => {
    expect(() => validate(body)).toThrow(expect.objectContaining({ code: "INVALID_MESSAGE", field }));
  });
});

describe("commands", () => {
  test("given fields at their limits, when a publish is validated, then they are taken over", () => {
    const value = {
      channel: "a".repeat(200),
      event: "e".repeat(64),
      idempotencyKey: "k".repeat(64),
      traceParent: "t".repeat(128),
    };
    expect(validate({ case: "publish", value })).toEqual({ kind: "publish", payload: undefined, ...value });
  });

  test("given a payload of each kind, when a publish is validated, then it is kept, an empty one too", () => {
    expect(publish({ case: "json", value: "" })).toMatchObject({ payload: { kind: "json", json: "" } });
    const data = Uint8Array.of(1, 2);
    expect(publish({ case: "data", value: data })).toMatchObject({ payload: { kind: "data", data } });
    expect(validate({ case: "publish", value: { channel: "a", payload: {} } })).toMatchObject({ payload: undefined });
  });

  test("given a subscribe, when it is validated, then its position is in numbers", () => {
    const since = { epoch: "e".repeat(64), offset: 2n ** 53n - 1n, check: 2 ** 32 - 1 };
    expect(validate({ case: "subscribe", value: { channel: "a", since } })).toEqual({
      kind: "subscribe",
      channel: "a",
      since: { ...since, offset: Number.MAX_SAFE_INTEGER },
      rewind: 0,
    });
    expect(validate({ case: "subscribe", value: { channel: "a", rewind: MAX_HISTORY } })).toMatchObject({
      since: undefined,
      rewind: MAX_HISTORY,
    });
  });

  test("given a history read without a limit, when it is validated, then it asks for 100", () => {
    expect(read(0)).toMatchObject({ kind: "read-history", limit: 100, backward: true });
    expect(read(1)).toMatchObject({ limit: 1 });
    expect(read(MAX_HISTORY)).toMatchObject({ limit: MAX_HISTORY });
  });

  test("given the other messages, when they are validated, then each is its command", () => {
    expect(validate({ case: "unsubscribe", value: { channel: "a" } })).toEqual({ kind: "unsubscribe", channel: "a" });
    expect(validate({ case: "ping", value: {} })).toEqual({ kind: "ping" });
    const token = "t".repeat(8192);
    expect(validate({ case: "refreshToken", value: { token } })).toEqual({ kind: "refresh-token", token });
    const sessionId = "s".repeat(64);
    const features = Array<string>(32).fill("f".repeat(64));
    const hello = { sessionId, sdk: "s".repeat(128), features };
    expect(validate({ case: "hello", value: hello })).toEqual({ kind: "hello", sessionId });
  });
});
