import { create, type DescField, type DescMessage, type Message, ScalarType } from "@bufbuild/protobuf";
import {
  type ClientMessage as ProtoClientMessage,
  ClientMessageSchema,
  encodeClientFrame,
  encodeServerElement,
  type Encoding,
  type ServerMessage as ProtoServerMessage,
  ServerMessageSchema,
} from "@pm/proto";
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { PmClientError } from "../pm-client-error.ts";
import { decodeFrame, type Element, elementBytes, encodeElement, frameOverhead, joinElements } from "./frame-codec.ts";
import { MISS_REASONS } from "./message-shape.ts";
import type { ClientMessage, ServerMessage } from "./messages.ts";

const ENCODINGS: readonly Encoding[] = ["proto", "json"];
const text = fc.oneof(
  fc.string({ unit: "binary", maxLength: 12 }),
  fc.constantFrom("", "\0", "\ufeff", "é", "\u{1f600}", "__proto__", '{"a":[1]}', "a".repeat(300)),
);
const uint32 = fc.oneof(fc.nat(), fc.constantFrom(0, 1, 127, 128, 2 ** 31, 2 ** 32 - 1));
const whole = fc.oneof(fc.maxSafeNat(), fc.constantFrom(0, 127, 128, 2 ** 32, 2 ** 53 - 1));

const SCALARS: ReadonlyMap<ScalarType, fc.Arbitrary<unknown>> = new Map<ScalarType, fc.Arbitrary<unknown>>([
  [ScalarType.STRING, text],
  [ScalarType.BYTES, fc.uint8Array({ maxLength: 20 })],
  [ScalarType.BOOL, fc.boolean()],
  [ScalarType.UINT32, uint32],
  [ScalarType.FIXED32, uint32],
  [ScalarType.UINT64, whole.map(BigInt)],
  [ScalarType.INT64, fc.oneof(whole, fc.maxSafeInteger()).map(BigInt)],
]);

/** Made from the schema, so that a new message or field is tested as soon as it exists. */
function messageOf(schema: DescMessage): fc.Arbitrary<Message> {
  const members: Record<string, fc.Arbitrary<unknown>> = {};
  for (const member of schema.members) {
    members[member.localName] =
      member.kind === "field" ? fieldOf(member) : fc.oneof(...member.fields.map((field) => choiceOf(field)));
  }
  return fc.record(members).map((init) => create(schema, init));
}

function choiceOf(field: DescField): fc.Arbitrary<unknown> {
  return valueOf(field).map((value) => ({ case: field.localName, value }));
}

function fieldOf(field: DescField): fc.Arbitrary<unknown> {
  if (field.fieldKind === "list") return fc.array(valueOf(field), { maxLength: 3 });
  return field.message === undefined ? valueOf(field) : fc.option(valueOf(field), { nil: undefined });
}

function valueOf(field: DescField): fc.Arbitrary<unknown> {
  if (field.message !== undefined) return messageOf(field.message);
  if (field.enum !== undefined) return fc.constantFrom(...field.enum.values.map((value) => value.number));
  return SCALARS.get(field.scalar ?? ScalarType.BOOL) ?? fc.constant(undefined);
}

/** A generated message in the form that the client has it in. */
function messageForm(message: Message, schema: DescMessage): Record<string, unknown> {
  const form: Record<string, unknown> = {};
  for (const member of schema.members) {
    const value = (message as unknown as Record<string, unknown>)[member.localName];
    form[member.localName] = member.kind === "oneof" ? choiceForm(value, member.fields) : valueForm(value, member);
  }
  return form;
}

function choiceForm(value: unknown, fields: readonly DescField[]): unknown {
  const chosen = value as { case: string | undefined; value: unknown };
  const field = fields.find(({ localName }) => localName === chosen.case);
  return field === undefined ? undefined : { kind: field.localName, value: valueForm(chosen.value, field) };
}

function valueForm(value: unknown, field: DescField): unknown {
  if (Array.isArray(value)) return value.map((item) => singleForm(item, field));
  return singleForm(value, field);
}

function singleForm(value: unknown, field: DescField): unknown {
  if (field.message !== undefined)
    return value === undefined ? undefined : messageForm(value as Message, field.message);
  if (field.enum !== undefined) return MISS_REASONS[value as number];
  return typeof value === "bigint" ? Number(value) : value;
}

function serverFrame(messages: readonly ProtoServerMessage[], encoding: Encoding): ArrayBuffer | string {
  const elements = messages.map((message) => encodeServerElement(message, encoding));
  if (encoding === "proto") return Uint8Array.from(Buffer.concat(elements)).buffer;
  return `{"messages":[${elements.map((element) => Buffer.from(element).toString("utf8")).join(",")}]}`;
}

const clientMessages = fc.array(messageOf(ClientMessageSchema) as fc.Arbitrary<ProtoClientMessage>, { maxLength: 4 });
const serverMessages = fc.array(messageOf(ServerMessageSchema) as fc.Arbitrary<ProtoServerMessage>, { maxLength: 4 });

describe.each(ENCODINGS)("the client's codec in %s", (encoding) => {
  const join = (messages: readonly ProtoClientMessage[]): Element =>
    joinElements(
      messages.map((message) =>
        encodeElement(messageForm(message, ClientMessageSchema) as unknown as ClientMessage, encoding),
      ),
      encoding,
    );

  it("given any client messages, when they are encoded, then the frame is the generated codec's, byte for byte", () => {
    fc.assert(
      fc.property(clientMessages, (messages) => {
        const frame = join(messages);
        const generated = encodeClientFrame(messages, encoding);
        if (messages.length > 0) expect(frame).toEqual(generated);
      }),
    );
  });

  it("given any server messages, when their frame is decoded, then they are the same, in order", () => {
    fc.assert(
      fc.property(serverMessages, (messages) => {
        const decoded = decodeFrame(serverFrame(messages, encoding), encoding);
        expect(decoded).toEqual(messages.map((message) => messageForm(message, ServerMessageSchema)));
      }),
    );
  });

  it("given any client messages, when their elements are measured, then the sum is never below the bytes of the frame", () => {
    fc.assert(
      fc.property(clientMessages, (messages) => {
        const elements = messages.map((message) =>
          encodeElement(messageForm(message, ClientMessageSchema) as unknown as ClientMessage, encoding),
        );
        const frame = joinElements(elements, encoding);
        const bytes = typeof frame === "string" ? Buffer.byteLength(frame) : frame.length;
        const measured = elements.reduce((sum, element) => sum + elementBytes(element), frameOverhead(encoding));
        expect(measured - bytes).toBe(encoding === "json" && messages.length > 0 ? 1 : 0);
      }),
    );
  });

  it("given any bytes or text, when they are decoded, then there are messages or the one error, and nothing else", () => {
    const input =
      encoding === "json" ? fc.oneof(fc.string(), fc.json()) : fc.uint8Array().map((bytes) => bytes.slice().buffer);
    fc.assert(
      fc.property(input, (data) => {
        let decoded: readonly ServerMessage[];
        try {
          decoded = decodeFrame(data, encoding);
        } catch (error) {
          expect(error).toBeInstanceOf(PmClientError);
          expect((error as PmClientError).code).toBe("DECODE_ERROR");
          return;
        }
        expect(Array.isArray(decoded)).toBe(true);
      }),
    );
  });
});
