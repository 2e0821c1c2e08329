import { type DescField, type DescMessage, ScalarType } from "@bufbuild/protobuf";
import { ClientFrameSchema, ServerFrameSchema, ServerMessageSchema } from "@pm/proto";
import { describe, expect, it } from "vitest";
import {
  CLIENT_FRAME,
  type FieldShape,
  type MessageShape,
  MISS_PREFIX,
  MISS_REASONS,
  SERVER_FRAME,
} from "./message-shape.ts";

interface Row {
  readonly no: number;
  readonly name: string;
  readonly kind: string | readonly Row[];
  readonly isList: boolean;
  readonly oneof: string | undefined;
}

function rowsOfShape({ fields }: MessageShape): Row[] {
  return fields.map(({ no, name, kind, isList, oneof }: FieldShape) => {
    return { no, name, kind: typeof kind === "string" ? kind : rowsOfShape(kind), isList, oneof };
  });
}

function rowsOfSchema(schema: DescMessage): Row[] {
  return schema.fields.map((field) => {
    const isList = field.fieldKind === "list";
    return { no: field.number, name: field.localName, kind: kindOf(field), isList, oneof: field.oneof?.localName };
  });
}

function kindOf(field: DescField): Row["kind"] {
  if (field.message !== undefined) return rowsOfSchema(field.message);
  return field.enum === undefined ? ScalarType[field.scalar ?? ScalarType.BOOL].toLowerCase() : "missReason";
}

describe("the shapes of messages", () => {
  it.each([
    ["ClientFrame", CLIENT_FRAME, ClientFrameSchema],
    ["ServerFrame", SERVER_FRAME, ServerFrameSchema],
  ])(
    "given %s, when its shape is held against its descriptor, then every field of every message is there",
    (_, shape, schema) => {
      expect(rowsOfShape(shape)).toEqual(rowsOfSchema(schema));
    },
  );

  it("given RecoveryMiss, when its values are held against the descriptor, then they are the same in the same order", () => {
    const subscribed = ServerMessageSchema.fields.find(({ localName }) => localName === "subscribed")?.message;
    const miss = subscribed?.fields.find(({ localName }) => localName === "miss")?.enum;
    expect(MISS_REASONS.map((reason) => MISS_PREFIX + reason)).toEqual(miss?.values.map(({ name }) => name));
  });
});
