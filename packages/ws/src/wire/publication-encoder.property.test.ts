import { equals, fromBinary, toJson } from "@bufbuild/protobuf";
import { parseChannelName } from "@pm/core";
import {
  decodeServerFrame,
  encodeServerElement,
  PublicationSchema,
  type ServerMessageInit,
  ServerMessageSchema,
} from "@pm/proto";
import * as fc from "fast-check";
import { expect, test } from "vitest";
import { jsonElement } from "./json-element.ts";
import { encodePublication, type PublicationFields, publicationOf } from "./publication-encoder.ts";
import { contentStart, frameElements, whole } from "./websocket-frame.ts";

const text = fc.string({ unit: "binary", maxLength: 200 }).filter((value) => value.isWellFormed());
const uint32 = fc.oneof(fc.constantFrom(0, 1, 2 ** 31, 2 ** 32 - 1), fc.integer({ min: 0, max: 2 ** 32 - 1 }));
const natural = fc.oneof(
  fc.constantFrom(0, 127, 128, 2 ** 31, 2 ** 32, 2 ** 35, Number.MAX_SAFE_INTEGER),
  fc.maxSafeNat(),
);
const json = fc.oneof(fc.constant(""), text, fc.json());
const data = fc.oneof(fc.constant(new Uint8Array()), fc.uint8Array({ maxLength: 400 }));
const payload = fc.option(
  fc.oneof(
    data.map((value) => ({ kind: "data" as const, data: value })),
    json.map((value) => ({ kind: "json" as const, json: value })),
  ),
  { nil: undefined },
);

const publication: fc.Arbitrary<PublicationFields> = fc.record({
  channel: fc.constantFrom("room:1", "tenant", "user", "a".repeat(128)).map(parseChannelName),
  offset: natural,
  check: uint32,
  payload,
  event: text,
  publisher: text,
  publishedAtMs: natural,
  idPrefix: fc.string({ unit: "binary-ascii", maxLength: 80 }),
  traceParent: text,
});

function messageOf({ payload: carried, idPrefix, ...fields }: PublicationFields): ServerMessageInit {
  const content =
    carried?.kind === "data"
      ? { case: "data" as const, value: Uint8Array.from(carried.data) }
      : carried && { case: "json" as const, value: carried.json };
  return {
    body: {
      case: "publication",
      value: {
        ...fields,
        messageId: `${idPrefix}.${fields.offset}`,
        offset: BigInt(fields.offset),
        publishedAtMs: BigInt(fields.publishedAtMs),
        ...(content && { payload: { kind: content } }),
      },
    },
  };
}

test("given a publication, when it is written by hand, then the bytes are those of the generated encoder", () => {
  fc.assert(
    fc.property(publication, (fields) => {
      const generated = Buffer.from(encodeServerElement(messageOf(fields), "proto"));
      const { bytes } = frameElements([whole(generated)], "proto");
      expect(encodePublication(fields).toString("hex")).toBe(bytes.toString("hex"));
    }),
  );
});

test("given a frame, when its publication is cut out, then that decodes to the one of the frame", () => {
  fc.assert(
    fc.property(publication, (fields) => {
      const frame = encodePublication(fields);
      const cut = fromBinary(PublicationSchema, publicationOf(frame));
      const body = decodeServerFrame(frame.subarray(contentStart(frame)), "proto")[0]?.body;
      if (body?.case !== "publication") throw new Error("the frame holds no publication");
      expect(equals(PublicationSchema, cut, body.value)).toBe(true);
      expect(cut.offset).toBe(BigInt(fields.offset));
      expect(cut.event).toBe(fields.event);
    }),
  );
});

test("given a frame, when it is turned into JSON, then it is the element of the JSON codec", () => {
  fc.assert(
    fc.property(publication, (fields) => {
      const generated = encodeServerElement(messageOf(fields), "json");
      const element = jsonElement(encodePublication(fields));
      expect(element.toString()).toBe(Buffer.from(generated).toString());
      const frame = `{"messages":[${element.toString()}]}`;
      const decoded = decodeServerFrame(frame, "json").map((message) => toJson(ServerMessageSchema, message));
      expect(decoded).toEqual([JSON.parse(element.toString())]);
    }),
  );
});

test("given an empty frame, when it is turned into JSON, then it is refused", () => {
  expect(() => jsonElement(Buffer.alloc(0))).toThrow(RangeError);
});
