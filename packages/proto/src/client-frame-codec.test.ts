import { create, toBinary } from "@bufbuild/protobuf";
import { describe, expect, it } from "vitest";
import { decodeClientFrame, encodeClientFrame } from "./client-frame-codec.ts";
import { CodecError } from "./codec-error.ts";
import { ClientFrameSchema, type ClientMessage, ClientMessageSchema } from "./gen/pm/v1/client_pb.ts";

const KIB_64 = 65_536;
const bytes = (hex: string): Uint8Array => Uint8Array.from(Buffer.from(hex.replaceAll(" ", ""), "hex"));
const filled = (hex: string): Uint8Array => bytes(hex.repeat(Math.ceil(KIB_64 / (hex.length / 2)))).subarray(0, KIB_64);
const subscribe = (channel: string): ClientMessage =>
  create(ClientMessageSchema, { id: 1, body: { case: "subscribe", value: { channel } } });
const json = (text: string): ClientMessage[] => decodeClientFrame(text, "json");
const proto = (hex: string): ClientMessage[] => decodeClientFrame(bytes(hex), "proto");

describe("decodeClientFrame", () => {
  it("given no bytes, no text or an empty list, when it is decoded, then there are no messages", () => {
    expect(proto("")).toEqual([]);
    for (const text of ["", "{}", '{"messages":[]}', '{"messages":null}']) expect(json(text)).toEqual([]);
  });

  it("given a Buffer of publications, when it has the most messages, then they are there, and one more is refused", () => {
    const frame = (count: number): Buffer => Buffer.from("0a0722050a0363686e".repeat(count), "hex");
    expect(decodeClientFrame(frame(256), "proto")).toHaveLength(256);
    expect(() => decodeClientFrame(frame(257), "proto")).toThrow(/more than 256 messages/);
  });

  it.each([
    ["JSON", "12 01 78"],
    ["bytes", "0a 01 78"],
  ])(
    "given a payload of %s and an unknown field in it, when it comes as a Buffer, then only that is ignored",
    (_, kind) => {
      const frame = bytes(`0a 0d 22 0b 0a 01 63 12 06 ${kind} 1a 01 79`);
      const messages = decodeClientFrame(Buffer.from(frame), "proto");
      expect(messages).toMatchObject([{ body: { value: { channel: "c", event: "" } } }]);
      expect(encodeClientFrame(messages, "proto")).toEqual(
        encodeClientFrame(decodeClientFrame(frame, "proto"), "proto"),
      );
    },
  );

  it("given the wrong kind of frame for the encoding, when it is decoded, then it is refused", () => {
    expect(() => decodeClientFrame("{}", "proto")).toThrow(/text, and binary was agreed/);
    expect(() => decodeClientFrame(new Uint8Array(), "json")).toThrow(/binary, and text was agreed/);
  });

  it("given a message without a body or with one of the future, when it is decoded, then its body is unset", () => {
    expect(proto("0a 02 08 07")).toMatchObject([{ id: 7, body: { case: undefined } }]);
    expect(proto("0a 04 08 07 42 00")).toMatchObject([{ id: 7, body: { case: undefined } }]);
    expect(json('{"messages":[{"id":7}]}')).toMatchObject([{ id: 7, body: { case: undefined } }]);
    expect(json('{"messages":[{"id":7,"presence":{"channel":"a"}}]}')).toMatchObject([
      { id: 7, body: { case: undefined } },
    ]);
  });

  it("given two bodies in one message, when binary is decoded, then the last one is it", () => {
    expect(proto("0a 05 12 03 0a 01 61")).toMatchObject([{ body: { case: "subscribe", value: { channel: "a" } } }]);
    expect(proto("0a 07 12 03 0a 01 61 3a 00")).toMatchObject([{ body: { case: "ping" } }]);
    expect(proto("0a 07 3a 00 12 03 0a 01 61")).toMatchObject([
      { body: { case: "subscribe", value: { channel: "a" } } },
    ]);
  });

  it("given the same body twice in one message, when binary is decoded, then their fields are merged", () => {
    expect(proto("0a 09 12 03 0a 01 61 12 02 18 05")).toMatchObject([
      { body: { case: "subscribe", value: { channel: "a", rewind: 5 } } },
    ]);
  });

  it("given two bodies or two kinds of payload in JSON, when it is decoded, then it is refused", () => {
    expect(() => json('{"messages":[{"ping":{},"hello":{}}]}')).toThrow(CodecError);
    expect(() => json('{"messages":[{"publish":{"payload":{"json":"1","data":"AA=="}}}]}')).toThrow(CodecError);
  });

  it("given a body that is null in JSON, when it is decoded, then it counts as absent", () => {
    expect(json('{"messages":[{"ping":null}]}')).toMatchObject([{ body: { case: undefined } }]);
    expect(json('{"messages":[{"ping":null,"subscribe":{"channel":"a"},"refreshToken":null}]}')).toMatchObject([
      { body: { case: "subscribe", value: { channel: "a" } } },
    ]);
    expect(json('{"messages":[{"publish":{"payload":{"data":null,"json":"1"}}}]}')).toMatchObject([
      { body: { case: "publish", value: { payload: { kind: { case: "json", value: "1" } } } } },
    ]);
  });

  it("given a field under both its names in JSON, when it is decoded, then it is refused", () => {
    expect(() => json('{"messages":[{"hello":{"sessionId":"a","session_id":"a"}}]}')).toThrow(CodecError);
  });

  it("given names of fields as in the .proto file, when JSON is decoded, then they are taken too", () => {
    expect(json('{"messages":[{"refresh_token":{"token":"t"}},{"refreshToken":{"token":"t"}}]}')).toMatchObject([
      { body: { case: "refreshToken", value: { token: "t" } } },
      { body: { case: "refreshToken", value: { token: "t" } } },
    ]);
  });

  it.each(["__proto__", "constructor", "prototype", "toString", "hasOwnProperty"])(
    "given the key %s at every level, when JSON is decoded, then nothing is changed by it",
    (key) => {
      const evil = `${JSON.stringify(key)}:{"id":9,"channel":"evil","messages":[],"polluted":true}`;
      const text = `{${evil},"messages":[{${evil},"id":1,"subscribe":{${evil},"channel":"a","since":{${evil},"epoch":"e"}}}]}`;
      const clean = json('{"messages":[{"id":1,"subscribe":{"channel":"a","since":{"epoch":"e"}}}]}');
      const decoded = json(text);
      expect(decoded).toEqual(clean);
      expect(Object.getPrototypeOf(decoded[0])).toBe(Object.getPrototypeOf(clean[0]));
      expect(({} as { polluted?: boolean }).polluted).toBeUndefined();
    },
  );

  it("given bytes in a view that begins inside a larger buffer, when they are decoded, then only the view counts", () => {
    const frame = encodeClientFrame([subscribe("a")], "proto") as Uint8Array;
    const larger = Buffer.concat([Buffer.from([1, 2, 3]), frame, Buffer.from([4])]);
    expect(decodeClientFrame(larger.subarray(3, 3 + frame.length), "proto")).toEqual([subscribe("a")]);
  });

  it("given a payload of bytes, when it is decoded, then it aliases the frame, as documented", () => {
    const value = Uint8Array.of(1, 2, 3);
    const publish = create(ClientMessageSchema, {
      body: { case: "publish", value: { channel: "a", payload: { kind: { case: "data", value } } } },
    });
    const frame = encodeClientFrame([publish], "proto") as Uint8Array;
    const [message] = decodeClientFrame(frame, "proto");
    frame.fill(7);
    expect(message?.body).toMatchObject({ value: { payload: { kind: { value: Uint8Array.of(7, 7, 7) } } } });
  });

  it.each([
    ["empty messages", filled("0a00")],
    ["empty bodies in one message", bytes(`0a fdff03 ${"1200".repeat(32_766)} 00`.slice(0, -3))],
    ["empty positions in one body", bytes(`0a f9ff03 12 f5ff03 ${"1200".repeat(32_762)} 00`.slice(0, -3))],
    ["numbers of 10 bytes", filled("10ffffffffffffffffff01")],
    ["numbers that never end", filled("ff")],
    ["numbers that never end in a tag", filled("80")],
    ["huge lengths", filled("0affffffff0f")],
    ["lengths one beyond the end", bytes(`0a fdff03 ${"00".repeat(65_532)}`)],
    ["groups", filled("0b")],
    ["groups in groups of unknown fields", filled("13")],
    ["ends of groups", filled("0c")],
    ["messages in messages in messages", filled("0affff03")],
    ["zeros", filled("00")],
    ["257 messages", bytes("0a00".repeat(257))],
    ["bad UTF-8", bytes("0a 05 12 03 0a 01 ff")],
    ["half a surrogate pair in UTF-8", bytes("0a 07 12 05 0a 03 eda080")],
    ["field number 0", bytes("0a 02 00 00")],
    [
      "another view for who believes wire types: 30 000 messages",
      bytes(`0d 02080110 12 e8d403 00 ${"0a00".repeat(30_003)} 00`),
    ],
  ])("given 64 KiB or less of hostile bytes, %s, when they are decoded, then there is one CodecError", (_, hostile) => {
    expect(hostile.length).toBeLessThanOrEqual(KIB_64);
    expect(() => decodeClientFrame(hostile, "proto")).toThrow(expect.objectContaining({ code: "DECODE_ERROR" }));
  });

  it.each([
    ["open brackets", "[".repeat(KIB_64)],
    ["open objects", '{"a":'.repeat(KIB_64 / 5)],
    ["nested messages", `{"messages":[${'{"subscribe":'.repeat(5000)}`],
    ["closed brackets", "]".repeat(KIB_64)],
    ["a balanced tower", `${"[".repeat(KIB_64 / 2)}${"]".repeat(KIB_64 / 2)}`],
    ["a tower in an unknown field", `{"x":${"[".repeat(20_000)}${"]".repeat(20_000)}}`],
    ["empty messages", `{"messages":[${"{},".repeat(21_000)}{}]}`],
    ["257 messages", `{"messages":[${"{},".repeat(256)}{}]}`],
    ["commas", ",".repeat(KIB_64)],
    ["colons", ":".repeat(KIB_64)],
    ["quotes", '"'.repeat(KIB_64)],
    ["backslashes", `"${"\\".repeat(KIB_64 - 1)}`],
    ["NUL", "\0".repeat(KIB_64)],
    ["blanks", " ".repeat(KIB_64)],
    ["a number of 64 KiB as the id", `{"messages":[{"id":${"1".repeat(65_000)}}]}`],
    ["a number of 64 KiB as an offset", `{"messages":[{"subscribe":{"since":{"offset":"${"9".repeat(65_000)}"}}}]}`],
    ["half a surrogate pair", '{"messages":[{"subscribe":{"channel":"\\ud800"}}]}'],
    ["a byte order mark", "\ufeff{}"],
    ["null as a message", '{"messages":[null]}'],
    ["a list as the frame", "[]"],
    ["null as the frame", "null"],
    ["bad base64", '{"messages":[{"publish":{"payload":{"data":"*"}}}]}'],
  ])("given 64 KiB or less of hostile text, %s, when it is decoded, then there is one CodecError", (_, hostile) => {
    expect(hostile.length).toBeLessThanOrEqual(KIB_64);
    expect(() => json(hostile)).toThrow(expect.objectContaining({ code: "DECODE_ERROR" }));
  });
});

describe("a frame that ends early", () => {
  const messages = [
    create(ClientMessageSchema, {
      id: 300,
      body: { case: "hello", value: { sessionId: "s", sdk: "é", features: ["a", ""] } },
    }),
    create(ClientMessageSchema, {
      id: 1,
      body: { case: "subscribe", value: { channel: "a:1", since: { epoch: "e", offset: 300n, check: 7 }, rewind: 2 } },
    }),
    create(ClientMessageSchema, {
      id: 2,
      body: {
        case: "publish",
        value: { channel: "a:1", payload: { kind: { case: "json", value: "{}" } }, event: "x", idempotencyKey: "k" },
      },
    }),
    create(ClientMessageSchema, { id: 3, body: { case: "readHistory", value: { channel: "a:1", backward: true } } }),
    create(ClientMessageSchema, { id: 4, body: { case: "ping", value: {} } }),
  ];

  it("given a binary frame cut at every byte, when it is decoded, then only cuts between messages are frames", () => {
    const frame = encodeClientFrame(messages, "proto") as Uint8Array;
    const whole: number[] = [];
    for (let end = 0; end <= frame.length; end++) {
      try {
        whole.push(decodeClientFrame(frame.subarray(0, end), "proto").length);
      } catch (error) {
        expect(error).toMatchObject({ code: "DECODE_ERROR" });
      }
    }
    expect(whole).toEqual([0, 1, 2, 3, 4, 5]);
  });

  it("given a JSON frame cut at every character, when it is decoded, then only all and nothing are frames", () => {
    const frame = encodeClientFrame(messages, "json") as string;
    for (let end = 1; end < frame.length; end++) {
      expect(() => decodeClientFrame(frame.slice(0, end), "json")).toThrow(CodecError);
    }
    expect(decodeClientFrame(frame, "json")).toEqual(messages);
  });
});

describe("encodeClientFrame", () => {
  it("given messages, when they are encoded, then binary is the schema's own and JSON leaves out what is unset", () => {
    const messages = [subscribe("a")];
    expect(encodeClientFrame(messages, "proto")).toEqual(
      toBinary(ClientFrameSchema, create(ClientFrameSchema, { messages })),
    );
    expect(encodeClientFrame(messages, "json")).toBe('{"messages":[{"id":1,"subscribe":{"channel":"a"}}]}');
  });

  it.each(["proto", "json"] as const)(
    "given half a surrogate pair, when it is encoded as %s, then it is refused",
    (encoding) => {
      expect(() => encodeClientFrame([subscribe("a\ud800")], encoding)).toThrow(
        expect.objectContaining({ code: "ENCODE_ERROR" }),
      );
    },
  );

  it.each(["proto", "json"] as const)(
    "given a number out of range, when it is encoded as %s, then it is refused",
    (encoding) => {
      const message = create(ClientMessageSchema, { id: 2 ** 32, body: { case: "ping", value: {} } });
      expect(() => encodeClientFrame([message], encoding)).toThrow(expect.objectContaining({ code: "ENCODE_ERROR" }));
    },
  );
});
