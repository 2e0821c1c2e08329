import { type DescField, type DescMessage, ScalarType } from "@bufbuild/protobuf";
import { CodecError } from "./codec-error.ts";
import { MAX_FRAME_FIELDS, MAX_FRAME_MESSAGES } from "./structure-budget.ts";

const VARINT = 0;
const FIXED64 = 1;
const LENGTH_DELIMITED = 2;
const FIXED32 = 5;

/** Of the scalars that are not varints. */
const WIRE_TYPES: ReadonlyMap<ScalarType, number> = new Map([
  [ScalarType.STRING, LENGTH_DELIMITED],
  [ScalarType.BYTES, LENGTH_DELIMITED],
  [ScalarType.FIXED32, FIXED32],
  [ScalarType.SFIXED32, FIXED32],
  [ScalarType.FLOAT, FIXED32],
  [ScalarType.FIXED64, FIXED64],
  [ScalarType.SFIXED64, FIXED64],
  [ScalarType.DOUBLE, FIXED64],
]);

/** The fields that a message knows, by number. */
type Shape = readonly (KnownField | undefined)[];

interface KnownField {
  readonly wireType: number;
  /** Numbers of a repeated field may come one by one, or all in one piece. */
  readonly isPackable: boolean;
  /** Undefined for what is not a message. */
  readonly content: Shape | undefined;
}

/**
 * Counts what is in the wire form of one kind of message, so that small hostile ones cannot become megabytes of
 * objects. The walk has to see what the parser will see. The parser does not look at the wire type of a field that it
 * knows, so one with another wire type is refused here: reading on in different places, the two would count different
 * things.
 */
export class ProtoBudget {
  readonly #shape: Shape;
  readonly #messages: KnownField | undefined;

  /** @param messages the field of `message` that may come `MAX_FRAME_MESSAGES` times; without it, only fields count */
  constructor(message: DescMessage, messages?: DescField) {
    this.#shape = shapeOf(message);
    this.#messages = messages === undefined ? undefined : this.#shape[messages.number];
  }

  /** @throws CodecError `DECODE_ERROR` for broken wire form, or over a budget */
  assertWithin(bytes: Uint8Array): void {
    const walk: Walk = { bytes, at: 0, fields: 0 };
    let messages = 0;
    while (walk.at < bytes.length) {
      const known = passField(walk, bytes.length, this.#shape);
      if (known === undefined || known !== this.#messages) continue;
      if (++messages > MAX_FRAME_MESSAGES) throw CodecError.overBudget("messages", MAX_FRAME_MESSAGES);
    }
  }
}

interface Walk {
  readonly bytes: Uint8Array;
  at: number;
  fields: number;
}

/** Passes one field with everything in it, and returns what is known of it. */
function passField(walk: Walk, end: number, shape: Shape): KnownField | undefined {
  if (++walk.fields > MAX_FRAME_FIELDS) throw CodecError.overBudget("fields", MAX_FRAME_FIELDS);
  const tag = readVarint(walk, end);
  const wireType = tag & 7;
  const known = shape[tag >>> 3];
  if (known !== undefined && known.wireType !== wireType && !(known.isPackable && wireType === LENGTH_DELIMITED)) {
    throw CodecError.undecodable(`field ${tag >>> 3} has wire type ${wireType}, not ${known.wireType}`);
  }
  const fieldEnd = endOfField(walk, wireType, end);
  if (known?.content === undefined) walk.at = fieldEnd;
  else while (walk.at < fieldEnd) passField(walk, fieldEnd, known.content);
  return known;
}

/** Where the field ends whose tag was read; stops at the content of a length-delimited one. */
function endOfField(walk: Walk, wireType: number, end: number): number {
  let fieldEnd: number;
  if (wireType === LENGTH_DELIMITED) {
    const length = readVarint(walk, end);
    fieldEnd = walk.at + length;
  } else if (wireType === VARINT) {
    readVarint(walk, end);
    fieldEnd = walk.at;
  } else if (wireType === FIXED32) fieldEnd = walk.at + 4;
  else if (wireType === FIXED64) fieldEnd = walk.at + 8;
  else throw CodecError.undecodable(`wire type ${wireType}`);
  if (fieldEnd > end) throw CodecError.undecodable("a field reaches beyond its message");
  return fieldEnd;
}

/** Reads a varint; bits beyond 32 are read over, since only tags and lengths matter here. */
function readVarint(walk: Walk, end: number): number {
  let value = 0;
  for (let shift = 0; shift < 70; shift += 7) {
    if (walk.at >= end) throw CodecError.undecodable("it ends inside a number");
    const byte = walk.bytes[walk.at++] ?? 0;
    if (shift < 32) value |= (byte & 0x7f) << shift;
    if (byte < 0x80) return value >>> 0;
  }
  throw CodecError.undecodable("a number has more than 10 bytes");
}

/** pm.v1 has no maps, and no message inside itself, so this ends. */
function shapeOf(message: DescMessage): Shape {
  const shape: (KnownField | undefined)[] = [];
  for (const field of message.fields) {
    const content = field.message === undefined ? undefined : shapeOf(field.message);
    const wireType = wireTypeOf(field);
    const isPackable = field.fieldKind === "list" && wireType !== LENGTH_DELIMITED;
    shape[field.number] = { wireType, isPackable, content };
  }
  return shape;
}

/** Of one element, where the field is repeated. */
function wireTypeOf(field: DescField): number {
  if (field.enum !== undefined) return VARINT;
  return field.scalar === undefined ? LENGTH_DELIMITED : (WIRE_TYPES.get(field.scalar) ?? VARINT);
}
