import {
  create,
  type DescMessage,
  type JsonObject,
  type JsonValue,
  type Message,
  toBinary,
  toJson,
} from "@bufbuild/protobuf";
import { BinaryWriter, WireType } from "@bufbuild/protobuf/wire";
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  ClientFrameSchema,
  decodeClientFrame,
  decodeServerFrame,
  type Encoding,
  encodeClientFrame,
  encodeServerElement,
  ServerFrameSchema,
  type ServerMessage,
} from "../src/index.ts";
import { anyClientMessage, anyPublish, anyServerMessage } from "./any-message.ts";

const ENCODINGS: readonly Encoding[] = ["proto", "json"];
const clientMessages = fc.oneof(fc.array(anyClientMessage, { maxLength: 5 }), fc.array(anyPublish, { maxLength: 5 }));
const serverMessages = fc.array(anyServerMessage, { maxLength: 5 });

/** Elements put together as an Outbox does it. */
function frameOf(elements: readonly Uint8Array[], encoding: Encoding): Uint8Array | string {
  if (encoding === "proto") return Uint8Array.from(Buffer.concat(elements));
  return `{"messages":[${elements.map((element) => Buffer.from(element).toString("utf8")).join(",")}]}`;
}

function encodeServerFrame(messages: readonly ServerMessage[], encoding: Encoding): Uint8Array | string {
  return frameOf(
    messages.map((message) => encodeServerElement(message, encoding)),
    encoding,
  );
}

describe.each(ENCODINGS)("the codec in %s", (encoding) => {
  it("given any client messages, when they are encoded and decoded, then they are the same", () => {
    fc.assert(
      fc.property(clientMessages, (messages) => {
        const frame = encodeClientFrame(messages, encoding);
        expect(decodeClientFrame(frame, encoding)).toEqual(messages);
        if (typeof frame === "string") return;
        expect(encodeClientFrame(decodeClientFrame(Buffer.from(frame), encoding), encoding)).toEqual(frame);
      }),
    );
  });

  it("given any server messages, when their elements are put together and decoded, then they are the same, in order", () => {
    fc.assert(
      fc.property(serverMessages, (messages) => {
        expect(decodeServerFrame(encodeServerFrame(messages, encoding), encoding)).toEqual(messages);
      }),
    );
  });

  it("given elements, when they are put together, then the bytes are those of a frame with all messages", () => {
    fc.assert(
      fc.property(serverMessages, (messages) => {
        const whole = create(ServerFrameSchema, { messages });
        const frame = encodeServerFrame(messages, encoding);
        if (typeof frame !== "string") expect(frame).toEqual(toBinary(ServerFrameSchema, whole));
        else
          expect({ messages: [], ...JSON.parse(frame) }).toEqual({
            messages: [],
            ...(toJson(ServerFrameSchema, whole) as object),
          });
      }),
    );
  });

  it("given a frame cut at any place, when it is decoded, then there are its first messages whole, or one CodecError", () => {
    fc.assert(
      fc.property(clientMessages, serverMessages, fc.nat(), (toServer, toClient, place) => {
        const lengths = toServer.map((message) => encodeClientFrame([message], encoding).length);
        const cut: Cut = { frame: encodeClientFrame(toServer, encoding), lengths, place };
        expectCut(cut, toServer, (part) => decodeClientFrame(part, encoding));
        const elements = toClient.map((message) => encodeServerElement(message, encoding));
        const cutElements: Cut = {
          frame: frameOf(elements, encoding),
          lengths: elements.map(({ length }) => length),
          place,
        };
        expectCut(cutElements, toClient, (part) => decodeServerFrame(part, encoding));
      }),
    );
  });
});

interface Cut {
  readonly frame: Uint8Array | string;
  /** Bytes of each message in a binary frame. */
  readonly lengths: readonly number[];
  readonly place: number;
}

/** A binary frame cut between two messages is a frame; cut anywhere else, and in JSON, it is not. */
function expectCut(
  { frame, lengths, place }: Cut,
  messages: readonly Message[],
  decode: (part: Uint8Array | string) => readonly Message[],
): void {
  if (frame.length < 2) return;
  const end = 1 + (place % (frame.length - 1));
  const ends = lengths.map((_, index) => lengths.slice(0, index + 1).reduce((sum, length) => sum + length));
  const whole = typeof frame === "string" ? -1 : ends.indexOf(end);
  if (whole >= 0) expect(decode(frame.slice(0, end))).toEqual(messages.slice(0, whole + 1));
  else expect(() => decode(frame.slice(0, end))).toThrow(expect.objectContaining({ code: "DECODE_ERROR" }));
}

describe("forward compatibility", () => {
  const unknownField = fc
    .record({
      no: fc.integer({ min: 16, max: 2 ** 29 - 1 }),
      wireType: fc.constantFrom(WireType.Varint, WireType.Bit64, WireType.LengthDelimited, WireType.Bit32),
      value: fc.nat({ max: 200 }),
    })
    .map(({ no, wireType, value }) => ({ no, wireType, data: unknownData(wireType, value) }));
  const unknownFields = fc.array(unknownField, { minLength: 1, maxLength: 3 });

  it("given unknown fields in every message of a binary frame, when it is decoded, then they are ignored", () => {
    fc.assert(
      fc.property(clientMessages, serverMessages, unknownFields, (toServer, toClient, unknown) => {
        const clientFrame = create(ClientFrameSchema, { messages: toServer });
        const serverFrame = create(ServerFrameSchema, { messages: toClient });
        const [cleanClient, cleanServer] = [
          toBinary(ClientFrameSchema, clientFrame),
          toBinary(ServerFrameSchema, serverFrame),
        ];
        for (const frame of [clientFrame, serverFrame]) eachMessage(frame, (message) => (message.$unknown = unknown));
        expect(decodeClientFrame(toBinary(ClientFrameSchema, clientFrame), "proto")).toEqual(
          decodeClientFrame(cleanClient, "proto"),
        );
        expect(decodeServerFrame(toBinary(ServerFrameSchema, serverFrame), "proto")).toEqual(
          decodeServerFrame(cleanServer, "proto"),
        );
      }),
    );
  });

  it("given unknown keys in every object of a JSON frame, when it is decoded, then they are ignored", () => {
    const key = fc.oneof(
      fc.constantFrom("__proto__", "constructor", "presence", "$typeName", "1"),
      fc.string().map((name) => `x${name}`),
    );
    fc.assert(
      fc.property(
        clientMessages,
        serverMessages,
        key,
        fc.jsonValue({ maxDepth: 2 }),
        (toServer, toClient, name, value) => {
          const clientFrame = toJson(ClientFrameSchema, create(ClientFrameSchema, { messages: toServer }));
          const serverFrame = toJson(ServerFrameSchema, create(ServerFrameSchema, { messages: toClient }));
          const spoiled = (frame: JsonValue): string => JSON.stringify(withKey(frame, name, value as JsonValue));
          expect(decodeClientFrame(spoiled(clientFrame), "json")).toEqual(toServer);
          expect(decodeServerFrame(spoiled(serverFrame), "json")).toEqual(toClient);
          expect(Object.keys(Object.prototype)).toEqual([]);
        },
      ),
    );
  });
});

describe("null in JSON", () => {
  it("given null under every name that has no value, bodies too, when a frame is decoded, then it counts as absent", () => {
    fc.assert(
      fc.property(clientMessages, serverMessages, (toServer, toClient) => {
        const clientFrame = toJson(ClientFrameSchema, create(ClientFrameSchema, { messages: toServer }));
        const serverFrame = toJson(ServerFrameSchema, create(ServerFrameSchema, { messages: toClient }));
        const [client, server] = [withNulls(clientFrame, ClientFrameSchema), withNulls(serverFrame, ServerFrameSchema)];
        expect(decodeClientFrame(JSON.stringify(client), "json")).toEqual(toServer);
        expect(decodeServerFrame(JSON.stringify(server), "json")).toEqual(toClient);
      }),
    );
  });
});

/** Puts null under every JSON name of the message, and of those in it, that is not there. */
function withNulls(json: JsonValue, schema: DescMessage): JsonValue {
  if (Array.isArray(json)) return json.map((item) => withNulls(item, schema));
  if (typeof json !== "object" || json === null) return json;
  return Object.fromEntries(
    schema.fields.map(({ jsonName, message }) => {
      const value = json[jsonName] ?? null;
      return [jsonName, message === undefined ? value : withNulls(value, message)];
    }),
  );
}

function unknownData(wireType: WireType, value: number): Uint8Array {
  const writer = new BinaryWriter();
  if (wireType === WireType.Varint) return writer.uint32(value).finish();
  if (wireType === WireType.LengthDelimited) return writer.bytes(new Uint8Array(value)).finish();
  return new Uint8Array(wireType === WireType.Bit32 ? 4 : 8).fill(value);
}

function eachMessage(value: unknown, visit: (message: Message) => void): void {
  if (typeof value !== "object" || value === null || value instanceof Uint8Array) return;
  for (const inner of Object.values(value)) eachMessage(inner, visit);
  if ("$typeName" in value) visit(value as Message);
}

/** Puts the key into every object, as an own property even where it is `__proto__`. */
function withKey(json: JsonValue, name: string, value: JsonValue): JsonValue {
  if (Array.isArray(json)) return json.map((item) => withKey(item, name, value));
  if (typeof json !== "object" || json === null) return json;
  const copy: JsonObject = {};
  for (const [key, inner] of Object.entries(json)) copy[key] = withKey(inner, name, value);
  Object.defineProperty(copy, name, { value, enumerable: true, configurable: true, writable: true });
  return copy;
}
