import type { Encoding } from "@pm/proto";

// RFC 6455, section 5.2: unmasked frames of a server, always the whole message in one frame.

const FIN_TEXT = 0x81;
/** A binary message in one frame. */
export const FIN_BINARY = 0x82;
const JSON_PREFIX = Buffer.from('{"messages":[');
const JSON_SUFFIX = Buffer.from("]}");
const COMMA = 0x2c;

/** Elements of a server frame, as they are written in one encoding: `bytes` from `start` to `end`. */
export interface Elements {
  readonly bytes: Buffer;
  readonly start: number;
  readonly end: number;
  /** True: `bytes` as a whole is a WebSocket frame with these elements and no others. */
  readonly isFrame: boolean;
}

/** Elements that have no frame around them. */
export function whole(bytes: Buffer): Elements {
  return { bytes, start: 0, end: bytes.length, isFrame: false };
}

/** The elements of a frame in binary. */
export function framed(frame: Buffer): Elements {
  return { bytes: frame, start: contentStart(frame), end: frame.length, isFrame: true };
}

/** Puts elements under one WebSocket header. */
export function frameElements(parts: readonly Elements[], encoding: Encoding): Elements {
  const isJson = encoding === "json";
  const before = isJson ? JSON_PREFIX.length : 0;
  let length = isJson ? before + JSON_SUFFIX.length + parts.length - 1 : 0;
  for (const { start, end } of parts) length += end - start;
  const bytes = Buffer.allocUnsafe(headerSize(length) + length);
  const start = writeHeader(bytes, 0, { first: isJson ? FIN_TEXT : FIN_BINARY, length }) + before;
  let at = start;
  for (const part of parts) {
    if (isJson && at > start) bytes[at++] = COMMA;
    at += part.bytes.copy(bytes, at, part.start, part.end);
  }
  if (isJson) {
    JSON_PREFIX.copy(bytes, start - before);
    JSON_SUFFIX.copy(bytes, at);
  }
  return { bytes, start, end: at, isFrame: true };
}

/** Bytes of the header of a frame with this much in it. */
export function headerSize(length: number): number {
  if (length < 126) return 2;
  return length < 65_536 ? 4 : 10;
}

/** Where the content of a frame begins. */
export function contentStart(frame: Uint8Array): number {
  const short = frame[1] ?? 0;
  if (short < 126) return 2;
  return short === 126 ? 4 : 10;
}

/** Writes the header of a frame with `length` bytes in it; returns where the content begins. */
export function writeHeader(
  target: Buffer,
  at: number,
  frame: { readonly first: number; readonly length: number },
): number {
  const { first, length } = frame;
  target[at] = first;
  if (length < 126) {
    target[at + 1] = length;
    return at + 2;
  }
  if (length < 65_536) {
    target[at + 1] = 126;
    target[at + 2] = length >>> 8;
    target[at + 3] = length;
    return at + 4;
  }
  target[at + 1] = 127;
  target.writeUInt32BE(Math.floor(length / 0x1_0000_0000), at + 2);
  return target.writeUInt32BE(length % 0x1_0000_0000, at + 6);
}
