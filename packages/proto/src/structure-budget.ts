import { CodecError } from "./codec-error.ts";

/** Messages in one client frame. */
export const MAX_FRAME_MESSAGES = 256;
/** Fields, over all levels, in one client frame: 16 a message. */
export const MAX_FRAME_FIELDS: number = 16 * MAX_FRAME_MESSAGES;
/** Levels of nesting in one client frame in JSON; pm.v1 itself needs 6. */
export const MAX_JSON_DEPTH = 8;

const LENGTH_DELIMITED = 2;
/** Fields of ClientMessage whose body holds one more message, always in field 2: Subscribe, Publish, ReadHistory. */
const NESTING_BODIES = new Set([2, 4, 6]);

/**
 * Walks the wire form of a ClientFrame and counts, so that small hostile frames cannot become megabytes of objects.
 * @throws CodecError `DECODE_ERROR` for broken wire form, or over a budget.
 */
export function assertProtoBudget(bytes: Uint8Array): void {
  const walk: Walk = { bytes, at: 0, fields: 0 };
  let messages = 0;
  while (walk.at < bytes.length) {
    const end = enterField(walk, bytes.length, (field) => field === 1);
    if (end === undefined) continue;
    if (++messages > MAX_FRAME_MESSAGES) throw CodecError.overBudget("messages", MAX_FRAME_MESSAGES);
    walkMessage(walk, end);
  }
}

interface Walk {
  readonly bytes: Uint8Array;
  at: number;
  fields: number;
}

function walkMessage(walk: Walk, end: number): void {
  let bodyField = 0;
  while (walk.at < end) {
    const bodyEnd = enterField(walk, end, (field) => {
      bodyField = field;
      return true;
    });
    if (bodyEnd !== undefined) walkBody(walk, bodyEnd, NESTING_BODIES.has(bodyField));
  }
}

function walkBody(walk: Walk, end: number, nests: boolean): void {
  while (walk.at < end) {
    const innerEnd = enterField(walk, end, (field) => nests && field === 2);
    if (innerEnd === undefined) continue;
    while (walk.at < innerEnd) enterField(walk, innerEnd, () => false);
  }
}

/** Passes one field; when it is length-delimited and wanted, stops at its content and returns where that ends. */
function enterField(walk: Walk, end: number, wanted: (field: number) => boolean): number | undefined {
  if (++walk.fields > MAX_FRAME_FIELDS) throw CodecError.overBudget("fields", MAX_FRAME_FIELDS);
  const tag = readVarint(walk, end);
  const wireType = tag & 7;
  if (wireType === LENGTH_DELIMITED) {
    const length = readVarint(walk, end);
    const contentEnd = walk.at + length;
    if (contentEnd > end) throw CodecError.undecodable("a length reaches beyond its message");
    if (wanted(tag >>> 3)) return contentEnd;
    walk.at = contentEnd;
    return undefined;
  }
  skipScalar(walk, wireType, end);
  return undefined;
}

function skipScalar(walk: Walk, wireType: number, end: number): void {
  if (wireType === 0) readVarint(walk, end);
  else if (wireType === 1) walk.at += 8;
  else if (wireType === 5) walk.at += 4;
  else throw CodecError.undecodable(`wire type ${wireType}`);
  if (walk.at > end) throw CodecError.undecodable("a field reaches beyond its message");
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

const QUOTE = 34;
const COMMA = 44;
const COLON = 58;
const OPEN_BRACKET = 91;
const BACKSLASH = 92;
const CLOSE_BRACKET = 93;
const OPEN_BRACE = 123;
const CLOSE_BRACE = 125;

/**
 * Counts depth and elements of JSON text before it is parsed.
 * @throws CodecError `DECODE_ERROR` over a budget. Text that is not JSON passes: the parser refuses it.
 */
export function assertJsonBudget(text: string): void {
  let depth = 0;
  let elements = 0;
  for (let at = 0; at < text.length; at++) {
    const char = text.charCodeAt(at);
    if (char === QUOTE) {
      at = endOfString(text, at);
    } else if (char === OPEN_BRACE || char === OPEN_BRACKET) {
      if (++depth > MAX_JSON_DEPTH) throw CodecError.overBudget("levels", MAX_JSON_DEPTH);
    } else if (char === CLOSE_BRACE || char === CLOSE_BRACKET) {
      depth--;
    } else if ((char === COMMA || char === COLON) && ++elements > 2 * MAX_FRAME_FIELDS) {
      throw CodecError.overBudget("fields", MAX_FRAME_FIELDS);
    }
  }
}

function endOfString(text: string, start: number): number {
  for (let at = start + 1; at < text.length; at++) {
    const char = text.charCodeAt(at);
    if (char === QUOTE) return at;
    if (char === BACKSLASH) at++;
  }
  return text.length;
}
