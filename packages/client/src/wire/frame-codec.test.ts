import { BinaryWriter, WireType } from "@bufbuild/protobuf/wire";
import { decodeClientFrame } from "@pm/proto";
import { describe, expect, it } from "vitest";
import { decodeFrame, elementBytes, encodeElement } from "./frame-codec.ts";
import type { ClientBody } from "./messages.ts";

/** A frame with one message, whose fields `write` puts down. */
function frame(write: (writer: BinaryWriter) => void): ArrayBuffer {
  const message = new BinaryWriter();
  write(message);
  return new BinaryWriter().tag(1, WireType.LengthDelimited).bytes(message.finish()).finish().slice().buffer;
}

function publishOf(value: Uint8Array<ArrayBuffer>): ClientBody {
  return { kind: "publish", value: { channel: "a", payload: { kind: { kind: "data", value } }, event: "e" } };
}

const pong = (writer: BinaryWriter): void => {
  writer.tag(8, WireType.LengthDelimited).bytes(new Uint8Array());
};
/** A number that is one byte too long. */
const ELEVEN = Uint8Array.of(0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x01);
const POSITION = { epoch: "e".repeat(22), offset: 2 ** 53 - 1, check: 2 ** 32 - 1 };
const PONG = { replyTo: 0, body: { kind: "pong", value: {} } };

describe("decodeFrame of binary", () => {
  it.each<[string, (writer: BinaryWriter) => void]>([
    ["a varint", (writer) => writer.tag(100, WireType.Varint).int64(-1n)],
    ["64 bits", (writer) => writer.tag(101, WireType.Bit64).fixed64(7n)],
    ["bytes", (writer) => writer.tag(102, WireType.LengthDelimited).string("new")],
    ["32 bits", (writer) => writer.tag(103, WireType.Bit32).fixed32(7)],
  ])("given an unknown field of %s, when it is decoded, then it is ignored", (_, write) => {
    expect(
      decodeFrame(
        frame((writer) => (write(writer), pong(writer))),
        "proto",
      ),
    ).toEqual([PONG]);
  });

  it("given a body that is not known, when it is decoded, then the message has none", () => {
    const unknown = frame((writer) =>
      writer.tag(1, WireType.Varint).uint32(9).tag(15, WireType.LengthDelimited).string("x"),
    );
    expect(decodeFrame(unknown, "proto")).toEqual([{ replyTo: 9, body: undefined }]);
  });

  it("given a number of 32 bits that is written with more, when it is decoded, then its low bits count", () => {
    const id = frame((writer) => writer.tag(1, WireType.Varint).uint64(2n ** 32n + 5n));
    expect(decodeFrame(id, "proto")).toEqual([{ replyTo: 5, body: undefined }]);
  });

  it("given an enum value of the future, when it is decoded, then it is the first one", () => {
    const lagged = new BinaryWriter().tag(4, WireType.Varint).uint32(99).finish();
    const [message] = decodeFrame(
      frame((writer) => writer.tag(10, WireType.LengthDelimited).bytes(lagged)),
      "proto",
    );
    expect(message?.body).toMatchObject({ kind: "lagged", value: { reason: "UNSPECIFIED" } });
  });

  it.each<[string, ArrayBuffer]>([
    ["a group", frame((writer) => writer.tag(200, WireType.StartGroup).tag(200, WireType.EndGroup))],
    ["a known field of another wire type", frame((writer) => writer.tag(8, WireType.Varint).uint32(1))],
    ["field 0", frame((writer) => writer.uint32(2).bytes(new Uint8Array()))],
    ["bad UTF-8", frame((writer) => writer.tag(11, WireType.LengthDelimited).bytes(Uint8Array.of(0x12, 1, 0xff)))],
    ["a number of eleven bytes", new Uint8Array(12).fill(0xff).buffer],
    ["a field that reaches beyond its message", Uint8Array.of(0x0a, 5, 1).buffer],
    ["a number cut off", Uint8Array.of(0x0a, 0x80).buffer],
    ["text that reaches beyond its message", Uint8Array.of(0x0a, 4, 0x72, 2, 0x0a, 5).buffer],
    ["a number cut off inside a message", Uint8Array.of(0x0a, 2, 0x08, 0x80).buffer],
    ["an unknown number of eleven bytes", frame((writer) => writer.tag(100, WireType.Varint).raw(ELEVEN))],
    [
      "a signed number of eleven bytes",
      frame((writer) =>
        writer.tag(9, WireType.LengthDelimited).bytes(new BinaryWriter().tag(7, WireType.Varint).raw(ELEVEN).finish()),
      ),
    ],
  ])("given %s, when it is decoded, then it is refused", (_, bytes) => {
    expect(() => decodeFrame(bytes, "proto")).toThrow(expect.objectContaining({ code: "DECODE_ERROR" }));
  });

  it("given bytes in a publication, when the input changes later, then what was decoded stays", () => {
    const payload = new BinaryWriter().tag(1, WireType.LengthDelimited).bytes(Uint8Array.of(7)).finish();
    const publication = new BinaryWriter().tag(4, WireType.LengthDelimited).bytes(payload).finish();
    const input = frame((writer) => writer.tag(9, WireType.LengthDelimited).bytes(publication));
    const [message] = decodeFrame(input, "proto");
    new Uint8Array(input).fill(0);
    expect(message?.body).toMatchObject({ value: { payload: { kind: { value: Uint8Array.of(7) } } } });
  });
});

describe("decodeFrame of JSON", () => {
  it("given unknown keys, null and an unknown enum value, when it is decoded, then they count as absent", () => {
    const json =
      '{"messages":[{"lagged":{"channel":null,"reason":"RECOVERY_MISS_NEW","missedCount":"7","extra":[1]}}],"x":1}';
    const value = { channel: "", missedCount: 7, position: undefined, reason: "UNSPECIFIED" };
    expect(decodeFrame(json, "json")).toEqual([{ replyTo: 0, body: { kind: "lagged", value } }]);
  });

  it("given enum values as numbers, when they are decoded, then they are known", () => {
    const messages = decodeFrame('{"messages":[{"lagged":{"reason":2}},{"lagged":{"reason":77}}]}', "json");
    expect(messages).toMatchObject([
      { body: { value: { reason: "RETENTION" } } },
      { body: { value: { reason: "UNSPECIFIED" } } },
    ]);
  });

  it("given base64 of the URL-safe alphabet without padding, when it is decoded, then it is taken too", () => {
    const [message] = decodeFrame('{"messages":[{"publication":{"payload":{"data":"-_8"}}}]}', "json");
    expect(message?.body).toMatchObject({ value: { payload: { kind: { value: Uint8Array.of(0xfb, 0xff) } } } });
  });

  it("given no text, when it is decoded, then it is a frame without messages", () => {
    expect(decodeFrame("", "json")).toEqual([]);
    expect(decodeFrame(new ArrayBuffer(0), "proto")).toEqual([]);
  });

  it.each([
    ["{", "no JSON"],
    ["[]", "no object"],
    ['{"messages":{}}', "messages that are no list"],
    ['{"messages":[null]}', "a message that is null"],
    ['{"messages":[{"replyTo":"x"}]}', "a number that is none"],
    ['{"messages":[{"replyTo":1.5}]}', "a fraction"],
    ['{"messages":[{"replyTo":""}]}', "a number without digits"],
    ['{"messages":[{"error":{"code":5}}]}', "a string that is none"],
    ['{"messages":[{"error":{"retryable":"yes"}}]}', "a boolean that is none"],
    ['{"messages":[{"publication":{"payload":{"data":"*"}}}]}', "base64 that is none"],
  ])("given %s, %s, when it is decoded, then it is refused", (json) => {
    expect(() => decodeFrame(json, "json")).toThrow(expect.objectContaining({ code: "DECODE_ERROR" }));
  });

  it("given the wrong kind of frame, when it is decoded, then it is refused", () => {
    expect(() => decodeFrame("{}", "proto")).toThrow(expect.objectContaining({ code: "DECODE_ERROR" }));
    expect(() => decodeFrame(new ArrayBuffer(0), "json")).toThrow(expect.objectContaining({ code: "DECODE_ERROR" }));
  });
});

describe("encodeElement", () => {
  it("given a publish without options, when it is encoded, then absent fields take no bytes", () => {
    const body = { kind: "publish", value: { channel: "a", event: undefined } } as const;
    expect(encodeElement({ id: 0, body }, "json")).toBe('{"publish":{"channel":"a"}}');
    expect(encodeElement({ id: 0, body }, "proto")).toEqual(Uint8Array.of(0x0a, 5, 0x22, 3, 0x0a, 1, 0x61));
  });

  it.each<[string, (length: number) => ClientBody]>([
    ["text", (length) => ({ kind: "publish", value: { channel: "a", event: "é".repeat(length / 2) } })],
    ["bytes", (length) => publishOf(new Uint8Array(length).fill(7))],
    ["positions", (length) => ({ kind: "subscribe", value: { channel: "a".repeat(length), since: POSITION } })],
  ])("given %s of any length, when it is encoded, then it is all there", (_, bodyOf) => {
    for (let length = 0; length < 600; length++) {
      const body = bodyOf(length);
      const element = encodeElement({ id: 2 ** 32 - 1, body }, "proto") as Uint8Array<ArrayBuffer>;
      const [message] = decodeClientFrame(element, "proto");
      const json = encodeElement({ id: 2 ** 32 - 1, body }, "json") as string;
      const [same] = decodeClientFrame(`{"messages":[${json}]}`, "json");
      expect(message).toEqual(same);
    }
  });
});

describe("elementBytes", () => {
  it("given characters of one to four bytes, when they are counted, then that is what they take as UTF-8", () => {
    const characters = "\u007f\u0080\u07ff\u0800\ud7ff\ue000\uffff\u{10000}\u{10ffff}";
    for (const text of [...Array.from(characters), characters])
      expect(elementBytes(text)).toBe(Buffer.byteLength(text) + 1);
  });
});
