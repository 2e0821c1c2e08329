import type { Encoding } from "@pm/proto";

// RFC 6455, section 5.2: unmasked frames of a server, always the whole message in one frame.

const FIN_TEXT = 0x81;
const FIN_BINARY = 0x82;
const JSON_PREFIX = Buffer.from('{"messages":[');
const JSON_SUFFIX = Buffer.from("]}");
const COMMA = 0x2c;

/**
 * Puts elements of a server frame under one WebSocket header.
 * @param bodies each one element, or a run of them as it is written in this encoding
 */
export function frameElements(bodies: readonly Uint8Array[], encoding: Encoding): Buffer {
  return encoding === "json" ? frameJson(bodies) : frameProto(bodies);
}

function frameProto(bodies: readonly Uint8Array[]): Buffer {
  let length = 0;
  for (const body of bodies) length += body.byteLength;
  const frame = Buffer.allocUnsafeSlow(headerSize(length) + length);
  let at = writeHeader(frame, FIN_BINARY, length);
  for (const body of bodies) {
    frame.set(body, at);
    at += body.byteLength;
  }
  return frame;
}

function frameJson(bodies: readonly Uint8Array[]): Buffer {
  let length = JSON_PREFIX.length + JSON_SUFFIX.length + bodies.length - 1;
  for (const body of bodies) length += body.byteLength;
  const frame = Buffer.allocUnsafeSlow(headerSize(length) + length);
  let at = writeHeader(frame, FIN_TEXT, length);
  frame.set(JSON_PREFIX, at);
  at += JSON_PREFIX.length;
  for (const [index, body] of bodies.entries()) {
    if (index > 0) frame[at++] = COMMA;
    frame.set(body, at);
    at += body.byteLength;
  }
  frame.set(JSON_SUFFIX, at);
  return frame;
}

function headerSize(length: number): number {
  if (length < 126) return 2;
  return length < 65_536 ? 4 : 10;
}

function writeHeader(frame: Buffer, first: number, length: number): number {
  frame[0] = first;
  if (length < 126) {
    frame[1] = length;
    return 2;
  }
  if (length < 65_536) {
    frame[1] = 126;
    return frame.writeUInt16BE(length, 2);
  }
  frame[1] = 127;
  frame.writeUInt32BE(Math.floor(length / 0x1_0000_0000), 2);
  return frame.writeUInt32BE(length % 0x1_0000_0000, 6);
}
