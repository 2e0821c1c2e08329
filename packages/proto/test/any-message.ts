import { create, type DescField, type DescMessage, type Message, ScalarType } from "@bufbuild/protobuf";
import * as fc from "fast-check";
import { PublishSchema } from "../src/gen/pm/v1/client_pb.ts";
import {
  ClientMessageSchema,
  type ClientMessage,
  type Publish,
  ServerMessageSchema,
  type ServerMessage,
} from "../src/index.ts";

/** Text of any code points, NUL and the empty one too; halves of surrogate pairs cannot be in it. */
const text = fc.oneof(
  fc.string({ unit: "binary", maxLength: 12 }),
  fc.constantFrom("", "\0", "\ufeff", "é", "\u{1f600}", "\u{10ffff}", "__proto__", '{"a":[1]}', "a".repeat(300)),
);
const uint32 = fc.oneof(fc.nat(), fc.constantFrom(0, 1, 127, 128, 2 ** 31, 2 ** 32 - 1));
const uint64 = fc.oneof(fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }), fc.constantFrom(0n, 2n ** 53n, 2n ** 64n - 1n));
const int64 = fc.oneof(fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }), fc.constantFrom(0n, -1n, 2n ** 63n - 1n));

const SCALARS: ReadonlyMap<ScalarType, fc.Arbitrary<unknown>> = new Map<ScalarType, fc.Arbitrary<unknown>>([
  [ScalarType.STRING, text],
  [ScalarType.BYTES, fc.uint8Array({ maxLength: 20 })],
  [ScalarType.BOOL, fc.boolean()],
  [ScalarType.UINT32, uint32],
  [ScalarType.FIXED32, uint32],
  [ScalarType.UINT64, uint64],
  [ScalarType.INT64, int64],
]);

/** A client message with any body and any values, or without a body. */
export const anyClientMessage = messageOf(ClientMessageSchema) as fc.Arbitrary<ClientMessage>;
/** A client message that publishes, which most of them do. */
export const anyPublish = fc
  .record({ id: uint32, value: messageOf(PublishSchema) as fc.Arbitrary<Publish> })
  .map(({ id, value }) => create(ClientMessageSchema, { id, body: { case: "publish", value } }));
/** A server message with any body and any values, or without a body. */
export const anyServerMessage = messageOf(ServerMessageSchema) as fc.Arbitrary<ServerMessage>;

/** Made from the schema, so that a new message or field is tested as soon as it exists. */
function messageOf(schema: DescMessage): fc.Arbitrary<Message> {
  const members: Record<string, fc.Arbitrary<unknown>> = {};
  for (const member of schema.members) {
    members[member.localName] =
      member.kind === "field"
        ? fieldOf(member)
        : fc.oneof(fc.constant({ case: undefined }), ...member.fields.map((field) => choiceOf(field)));
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
  if (field.enum !== undefined) return fc.constantFrom(...field.enum.values.map((value) => value.number), 99);
  return SCALARS.get(field.scalar ?? ScalarType.BOOL) ?? fc.constant(undefined);
}
