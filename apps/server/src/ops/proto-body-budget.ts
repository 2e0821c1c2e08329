import { type DescField, type DescMessage, ScalarType } from "@bufbuild/protobuf";
import { MAX_FRAME_FIELDS } from "@pm/proto";
import { OpsInputError } from "./ops-error.ts";

const VARINT = 0;
const FIXED64 = 1;
const LENGTH_DELIMITED = 2;
const FIXED32 = 5;

/**
 * Counts the fields of a message in its wire form, with those of the messages in it, before any object is made. The
 * parser does not look at the wire type of a field that it knows: one with another is refused, so that the two never
 * read on in different places.
 * @throws OpsInputError for broken wire form, or over the budget
 */
export function assertProtoBudget(message: DescMessage, bytes: Uint8Array): void {
  passMessage({ bytes, at: 0, fields: 0 }, message, bytes.length);
}

interface Walk {
  readonly bytes: Uint8Array;
  at: number;
  fields: number;
}

function passMessage(walk: Walk, message: DescMessage, end: number): void {
  while (walk.at < end) {
    if (++walk.fields > MAX_FRAME_FIELDS) throw OpsInputError.of("body", `has over ${MAX_FRAME_FIELDS} fields`);
    const tag = readVarint(walk);
    const known = message.fields.find(({ number }) => number === tag >>> 3);
    if (known !== undefined && !mayHave(known, tag & 7)) throw broken();
    const fieldEnd = endOfField(walk, tag & 7);
    if (fieldEnd > end) throw broken();
    if (known?.message === undefined) walk.at = fieldEnd;
    else passMessage(walk, known.message, fieldEnd);
  }
}

/** Where the field ends whose tag was read; stops at the content of a length-delimited one. */
function endOfField(walk: Walk, wireType: number): number {
  if (wireType === LENGTH_DELIMITED) {
    const length = readVarint(walk);
    return walk.at + length;
  }
  if (wireType === FIXED64) return walk.at + 8;
  if (wireType === FIXED32) return walk.at + 4;
  if (wireType !== VARINT) throw broken();
  readVarint(walk);
  return walk.at;
}

/** The schema has no numbers of a fixed size. */
function mayHave(field: DescField, wireType: number): boolean {
  const isVarint =
    field.message === undefined && field.scalar !== ScalarType.STRING && field.scalar !== ScalarType.BYTES;
  if (wireType === VARINT) return isVarint;
  return wireType === LENGTH_DELIMITED && (!isVarint || field.fieldKind === "list");
}

/** Bits beyond 32 are read over, since only tags and lengths matter here. */
function readVarint(walk: Walk): number {
  let value = 0;
  for (let shift = 0; shift < 70; shift += 7) {
    const byte = walk.bytes[walk.at++];
    if (byte === undefined) throw broken();
    if (shift < 32) value |= (byte & 0x7f) << shift;
    if (byte < 0x80) return value >>> 0;
  }
  throw broken();
}

function broken(): OpsInputError {
  return OpsInputError.of("body", "is not a message of its method");
}
