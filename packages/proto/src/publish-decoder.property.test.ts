import { Buffer } from "node:buffer";
import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { StringCache } from "@pm/core";
import * as fc from "fast-check";
import { expect, test } from "vitest";
import { ClientFrameSchema } from "./gen/pm/v1/client_pb.ts";
import { decodePublishFrame } from "./publish-decoder.ts";

const text = fc.string({ unit: "binary", maxLength: 30 }).filter((value) => value.isWellFormed());

const publish = fc.record({
  channel: text,
  event: text,
  idempotencyKey: text,
  traceParent: text,
  payload: fc.oneof(
    fc.constant(undefined),
    fc.constant({}),
    fc
      .uint8Array({ maxLength: 300 })
      .map((value) => ({ kind: { case: "data" as const, value: Uint8Array.from(value) } })),
    text.map((value) => ({ kind: { case: "json" as const, value } })),
  ),
});

const frame = fc
  .array(fc.record({ id: fc.oneof(fc.constant(0), fc.nat(), fc.constant(2 ** 32 - 1)), publish }), { maxLength: 5 })
  .map((messages) =>
    toBinary(
      ClientFrameSchema,
      create(ClientFrameSchema, {
        messages: messages.map((message) => ({
          id: message.id,
          body: {
            case: "publish" as const,
            value: { ...message.publish, ...(message.publish.payload === undefined ? { payload: undefined } : {}) },
          },
        })),
      }),
    ),
  );

function generated(bytes: Uint8Array): unknown {
  return fromBinary(ClientFrameSchema, bytes, { readUnknownFields: false }).messages;
}

test("given a frame of publications, when it is read by hand, then it is what the generated decoder reads", () => {
  fc.assert(
    fc.property(frame, (bytes) => {
      const byHand = decodePublishFrame(Buffer.from(bytes), 256);
      if (byHand !== undefined) expect(byHand).toEqual(generated(Buffer.from(bytes)));
    }),
  );
});

test("given an ordinary publication, when it is read by hand, then it is not given up", () => {
  const bytes = toBinary(
    ClientFrameSchema,
    create(ClientFrameSchema, {
      messages: [
        {
          id: 7,
          body: {
            case: "publish",
            value: { channel: "project:42", event: "é", payload: { kind: { case: "json", value: "{}" } } },
          },
        },
      ],
    }),
  );
  expect(decodePublishFrame(Buffer.from(bytes), 256)).toEqual(generated(bytes));
});

test("given a frame with a byte changed, when it is read by hand, then it is given up or read the same", () => {
  fc.assert(
    fc.property(frame, fc.nat(), fc.nat(255), (bytes, position, value) => {
      fc.pre(bytes.length > 0);
      const changed = Buffer.from(bytes);
      changed[position % bytes.length] = value;
      const byHand = decodePublishFrame(changed, 256);
      if (byHand !== undefined) expect(byHand).toEqual(generated(Buffer.from(changed)));
    }),
  );
});

test("given any bytes, when they are read by hand, then they are given up or read the same", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
      const byHand = decodePublishFrame(Buffer.from(bytes), 256);
      if (byHand !== undefined) expect(byHand).toEqual(generated(Buffer.from(bytes)));
    }),
  );
});

test("given names that are kept, when frames are read by hand, then they are read the same as without", () => {
  fc.assert(
    fc.property(fc.array(frame, { maxLength: 5 }), fc.array(text), (frames, names) => {
      const channels = new StringCache(4);
      for (const name of names) channels.of(name);
      for (const bytes of [...frames, ...frames]) {
        const read = decodePublishFrame(Buffer.from(bytes), 256);
        expect(decodePublishFrame(Buffer.from(bytes), 256, channels)).toEqual(read);
      }
    }),
  );
});

test.each([
  ["é", "c3a9"],
  ["Ã©", "c3a9"],
  ["ab", "6162"],
  ["abc", "6162"],
  ["b", "6162"],
])("given that the name %s is kept, when the bytes of a channel are %s, then it is what they say", (kept, hex) => {
  const channels = new StringCache(1);
  channels.of(kept);
  const name = Buffer.from(hex, "hex");
  const bytes = Buffer.from([0x0a, 4 + name.length, 0x22, 2 + name.length, 0x0a, name.length, ...name]);
  expect(decodePublishFrame(bytes, 256, channels)).toEqual(generated(bytes));
});
