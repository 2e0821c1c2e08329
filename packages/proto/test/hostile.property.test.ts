import { fromBinary } from "@bufbuild/protobuf";
import { BinaryReader } from "@bufbuild/protobuf/wire";
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  assertJsonBudget,
  ClientFrameSchema,
  CodecError,
  decodeClientFrame,
  decodeServerFrame,
  type Encoding,
  encodeClientFrame,
  MAX_FRAME_MESSAGES,
  ProtoBudget,
} from "../src/index.ts";
import { anyClientMessage, anyPublish } from "./any-message.ts";
import { hostileBytes } from "./hostile-bytes.ts";

const budget = new ProtoBudget(ClientFrameSchema, ClientFrameSchema.field.messages);
const anyBytes = fc.oneof(fc.uint8Array({ maxLength: 300 }), hostileBytes);

const jsonWords = [
  "{",
  "}",
  "[",
  "]",
  ":",
  ",",
  '"',
  "\\",
  "null",
  "1",
  "-1",
  "1e999",
  " ",
  '"messages"',
  '"id"',
  '"ping"',
  '"__proto__"',
  "\0",
  "\ud800",
];
const anyText = fc.oneof(
  fc.string({ unit: "binary", maxLength: 60 }),
  fc.array(fc.constantFrom(...jsonWords), { maxLength: 40 }).map((words) => words.join("")),
  fc.json(),
  fc.json().map((json) => `{"messages":[${json}]}`),
  fc.json().map((json) => `{"messages":[{"id":${json},"publish":{"payload":${json}}}]}`),
);

/** A valid frame with some bytes overwritten, put in or taken out. */
const spoiledFrame = fc
  .tuple(
    fc.array(fc.oneof(anyClientMessage, anyPublish), { minLength: 1, maxLength: 3 }),
    fc.array(fc.record({ at: fc.nat(), remove: fc.nat({ max: 3 }), insert: fc.uint8Array({ maxLength: 3 }) }), {
      maxLength: 4,
    }),
  )
  .map(([messages, edits]) => {
    let frame = Buffer.from(encodeClientFrame(messages, "proto"));
    for (const { at, remove, insert } of edits) {
      const place = at % (frame.length + 1);
      frame = Buffer.concat([frame.subarray(0, place), insert, frame.subarray(place + remove)]);
    }
    return Uint8Array.from(frame);
  });

/** Decodes, and lets only a CodecError with the one code pass as a refusal. */
function decodeOrRefuse<T>(decode: () => T): T | undefined {
  try {
    return decode();
  } catch (error) {
    expect(error).toBeInstanceOf(CodecError);
    expect((error as CodecError).code).toBe("DECODE_ERROR");
    return undefined;
  }
}

describe.each<Encoding>(["proto", "json"])("decoding as %s", (encoding) => {
  it("given any bytes at all, when they are decoded, then there are messages or one CodecError", () => {
    fc.assert(
      fc.property(fc.oneof(anyBytes, spoiledFrame), (bytes) => {
        const messages = decodeOrRefuse(() => decodeClientFrame(bytes, encoding));
        expect(messages?.length ?? 0).toBeLessThanOrEqual(MAX_FRAME_MESSAGES);
        decodeOrRefuse(() => decodeServerFrame(bytes, encoding));
      }),
    );
  });

  it("given any text at all, when it is decoded, then there are messages or one CodecError", () => {
    fc.assert(
      fc.property(anyText, (text) => {
        const messages = decodeOrRefuse(() => decodeClientFrame(text, encoding));
        expect(messages?.length ?? 0).toBeLessThanOrEqual(MAX_FRAME_MESSAGES);
        decodeOrRefuse(() => decodeServerFrame(text, encoding));
      }),
    );
  });
});

describe("decoding a Buffer, part of which is done by hand", () => {
  it("given any bytes, when they come as a Buffer, then the answer is that for a Uint8Array", () => {
    fc.assert(
      fc.property(fc.oneof(anyBytes, spoiledFrame), (bytes) => {
        const fromBuffer = decodeOrRefuse(() => decodeClientFrame(Buffer.from(bytes), "proto"));
        const fromArray = decodeOrRefuse(() => decodeClientFrame(bytes, "proto"));
        expect(fromBuffer && encodeClientFrame(fromBuffer, "json")).toBe(
          fromArray && encodeClientFrame(fromArray, "json"),
        );
      }),
    );
  });
});

describe("ProtoBudget", () => {
  it("given bytes that pass it, when the parser reads them, then it finds the messages that are there and no others", () => {
    fc.assert(
      fc.property(fc.oneof(anyBytes, spoiledFrame), (bytes) => {
        const isWithinBudget = decodeOrRefuse(() => {
          budget.assertWithin(bytes);
          return true;
        });
        const parsed = isWithinBudget === true ? parseLeniently(bytes) : undefined;
        if (parsed !== undefined) expect(parsed).toBe(countTopLevel(bytes));
      }),
    );
  });

  it("given what is encoded within the limits, when it is walked, then it is never refused", () => {
    const most = fc.tuple(anyClientMessage, fc.integer({ min: 1, max: MAX_FRAME_MESSAGES }));
    fc.assert(
      fc.property(most, ([message, count]) => {
        const messages = Array.from({ length: count }, () => message);
        expect(() => budget.assertWithin(encodeClientFrame(messages, "proto") as Uint8Array)).not.toThrow();
        expect(() => assertJsonBudget(encodeClientFrame(messages, "json") as string)).not.toThrow();
      }),
    );
  });

  it("given any bytes, when they are walked, then no byte is read twice", () => {
    fc.assert(
      fc.property(fc.oneof(anyBytes, spoiledFrame), (bytes) => {
        let reads = 0;
        const counting = new Proxy(bytes, {
          get(target, key) {
            if (key === "length") return target.length;
            reads++;
            return target[Number(key)];
          },
        });
        decodeOrRefuse(() => budget.assertWithin(counting));
        expect(reads).toBeLessThanOrEqual(bytes.length);
      }),
    );
  });
});

describe("assertJsonBudget", () => {
  it("given any text, when it is counted, then no character is read twice", () => {
    fc.assert(
      fc.property(anyText, (text) => {
        let reads = 0;
        const counting = {
          length: text.length,
          charCodeAt: (at: number) => {
            reads++;
            return text.charCodeAt(at);
          },
        };
        decodeOrRefuse(() => assertJsonBudget(counting as unknown as string));
        expect(reads).toBeLessThanOrEqual(text.length);
      }),
    );
  });
});

/** Messages that the parser makes, without any budget; undefined where it refuses. */
function parseLeniently(bytes: Uint8Array): number | undefined {
  try {
    return fromBinary(ClientFrameSchema, bytes, { readUnknownFields: false }).messages.length;
  } catch {
    return undefined;
  }
}

/** Fields 1 at the top of a well-formed frame, read by another reader than the walk and the parser. */
function countTopLevel(bytes: Uint8Array): number {
  const reader = new BinaryReader(bytes);
  let count = 0;
  while (reader.pos < reader.len) {
    const [field, wireType] = reader.tag();
    if (field === 1) count++;
    reader.skip(wireType, field);
  }
  return count;
}
