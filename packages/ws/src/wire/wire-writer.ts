// The few forms of the protobuf wire that the hand-written encoders need. Each function writes and returns where the
// next byte goes; fields with their zero value are left out, as proto3 does.

/** Strings up to this length are written by a loop: a call into Node's encoder costs more. */
const SHORT_STRING = 48;

/** Writes a fixed32 field. */
export function writeFixed32Field(target: Buffer, start: number, tag: number, value: number): number {
  if (value === 0) return start;
  target[start] = tag;
  target[start + 1] = value;
  target[start + 2] = value >>> 8;
  target[start + 3] = value >>> 16;
  target[start + 4] = value >>> 24;
  return start + 5;
}

/** Writes a string field; `isPresent` writes an empty one too, for a oneof. */
export function writeStringField(target: Buffer, start: number, tag: number, text: string, isPresent = false): number {
  if (text.length === 0 && !isPresent) return start;
  target[start] = tag;
  const size = utf8Size(text);
  const at = writeVarint(target, start + 1, size);
  if (size === text.length) return writeOneByteText(target, at, text);
  return at + target.write(text, at, size, "utf8");
}

/** Writes characters that are one byte each. */
export function writeOneByteText(target: Buffer, at: number, text: string): number {
  const { length } = text;
  if (length > SHORT_STRING) return at + target.write(text, at, length, "latin1");
  for (let i = 0; i < length; i++) target[at + i] = text.charCodeAt(i);
  return at + length;
}

/** Digits of a whole number from 0, in base ten. */
export function digitCount(value: number): number {
  let digits = 1;
  for (let bound = 10; value >= bound; bound *= 10) digits++;
  return digits;
}

/** Writes a whole number from 0 in base ten. */
export function writeDecimal(target: Buffer, start: number, value: number): number {
  const end = start + digitCount(value);
  let rest = value;
  for (let at = end - 1; at >= start; at--) {
    const tenth = Math.floor(rest / 10);
    target[at] = rest - 10 * tenth + 0x30;
    rest = tenth;
  }
  return end;
}

/** Writes a varint field. */
export function writeVarintField(target: Buffer, start: number, tag: number, value: number): number {
  if (value === 0) return start;
  target[start] = tag;
  return writeVarint(target, start + 1, value);
}

/** Bytes of a string field. */
export function stringFieldSize(text: string): number {
  return text.length === 0 ? 0 : 1 + delimitedSize(utf8Size(text));
}

/** Bytes of a varint field. */
export function varintFieldSize(value: number): number {
  return value === 0 ? 0 : 1 + varintSize(value);
}

/** Bytes of a length and what it is of. */
export function delimitedSize(content: number): number {
  return varintSize(content) + content;
}

/** Bytes of a text in UTF-8. */
export function utf8Size(text: string): number {
  const { length } = text;
  if (length > SHORT_STRING) return Buffer.byteLength(text, "utf8");
  for (let i = 0; i < length; i++) {
    if (text.charCodeAt(i) > 0x7f) return Buffer.byteLength(text, "utf8");
  }
  return length;
}

/** Bytes of a varint below 2^53. */
export function varintSize(value: number): number {
  if (value < 0x80) return 1;
  if (value < 0x4000) return 2;
  let size = 3;
  for (let rest = value / 0x200000; rest >= 1; rest /= 0x80) size++;
  return size;
}

/** Writes a varint below 2^53. */
export function writeVarint(target: Buffer, start: number, value: number): number {
  let at = start;
  let rest = value;
  while (rest > 0x7fffffff) {
    // Without %, which for large numbers is a call into the C library.
    const next = Math.floor(rest / 0x80);
    target[at++] = (rest - next * 0x80) | 0x80;
    rest = next;
  }
  while (rest >= 0x80) {
    target[at++] = (rest & 0x7f) | 0x80;
    rest >>>= 7;
  }
  target[at++] = rest;
  return at;
}
