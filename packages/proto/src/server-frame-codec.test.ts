import { create } from "@bufbuild/protobuf";
import { describe, expect, it } from "vitest";
import { RecoveryMiss } from "./gen/pm/v1/log_pb.ts";
import { type ServerMessage, ServerMessageSchema } from "./gen/pm/v1/server_pb.ts";
import { decodeServerFrame, encodeServerElement, type ServerMessageInit } from "./server-frame-codec.ts";

const pong: ServerMessageInit = { replyTo: 7, body: { case: "pong", value: {} } };
const json = (text: string): ServerMessage[] => decodeServerFrame(text, "json");
const proto = (hex: string): ServerMessage[] =>
  decodeServerFrame(Uint8Array.from(Buffer.from(hex.replaceAll(" ", ""), "hex")), "proto");

describe("encodeServerElement", () => {
  it("given a message, when it is encoded in binary, then it is a frame of one message", () => {
    expect(Buffer.from(encodeServerElement(pong, "proto")).toString("hex")).toBe("0a0408074200");
  });

  it("given a message, when it is encoded in JSON, then it is the UTF-8 text of the message alone", () => {
    const init: ServerMessageInit = { body: { case: "goAway", value: { reconnectAfterMs: 5, reason: "größer" } } };
    expect(Buffer.from(encodeServerElement(init, "json")).toString("utf8")).toBe(
      '{"goAway":{"reconnectAfterMs":5,"reason":"größer"}}',
    );
  });

  it.each(["proto", "json"] as const)(
    "given what %s cannot hold, when it is encoded, then there is one CodecError",
    (encoding) => {
      const unencodable: ServerMessageInit[] = [
        { replyTo: -1 },
        { body: { case: "error", value: { retryAfterMs: Number.POSITIVE_INFINITY } } },
        { body: { case: "publication", value: { publisher: "\ud800" } } },
      ];
      for (const init of unencodable) {
        expect(() => encodeServerElement(init, encoding)).toThrow(expect.objectContaining({ code: "ENCODE_ERROR" }));
      }
    },
  );
});

describe("decodeServerFrame", () => {
  it("given a body or an enum value of the future, when it is decoded, then the rest is read", () => {
    expect(proto("0a 04 08 07 62 00")).toMatchObject([{ replyTo: 7, body: { case: undefined } }]);
    expect(json('{"messages":[{"replyTo":7,"presence":{}}]}')).toMatchObject([
      { replyTo: 7, body: { case: undefined } },
    ]);
    expect(proto("0a 07 52 05 0a 01 61 20 63")).toMatchObject([{ body: { value: { channel: "a", reason: 99 } } }]);
    expect(json('{"messages":[{"lagged":{"channel":"a","reason":"RECOVERY_MISS_LATER"}}]}')).toMatchObject([
      { body: { value: { channel: "a", reason: RecoveryMiss.UNSPECIFIED } } },
    ]);
    expect(json('{"messages":[{"lagged":{"channel":"a","reason":99}}]}')).toMatchObject([
      { body: { value: { channel: "a", reason: 99 } } },
    ]);
  });

  it("given 64-bit numbers in JSON, when they are decoded, then strings and exact numbers are taken", () => {
    const lagged = create(ServerMessageSchema, { body: { case: "lagged", value: { missedCount: 12n } } });
    expect(json('{"messages":[{"lagged":{"missedCount":"12"}}]}')).toEqual([lagged]);
    expect(json('{"messages":[{"lagged":{"missedCount":12}}]}')).toEqual([lagged]);
  });

  it.each([
    ["text where binary was agreed", "{}", "proto"],
    ["binary where text was agreed", new Uint8Array(), "json"],
    ["bytes that end early", Uint8Array.of(0x0a, 0x04, 0x08), "proto"],
    ["bad UTF-8", Uint8Array.of(0x0a, 0x05, 0x5a, 0x03, 0x12, 0x01, 0xff), "proto"],
    ["text that is not JSON", "{", "json"],
    ["JSON that is not a frame", "[]", "json"],
    ["64 KiB of brackets", "[".repeat(65_536), "json"],
  ] as const)("given %s, when it is decoded, then there is one CodecError", (_, data, encoding) => {
    expect(() => decodeServerFrame(data, encoding)).toThrow(expect.objectContaining({ code: "DECODE_ERROR" }));
  });
});
