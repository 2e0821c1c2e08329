/** Opcodes of WebSocket frames (RFC 6455, section 5.2). */
export const Opcode = { continuation: 0, text: 1, binary: 2, close: 8, ping: 9, pong: 10 } as const;

/**
 * What client frames are masked with: any four bytes but zeros, which servers may skip. Fixed, so that frames are made
 * once.
 */
export const MASK: readonly [number, number, number, number] = [0x5a, 0xc3, 0x17, 0x9e];

/** A masked client frame (RFC 6455, section 5.3). */
export function clientFrame(opcode: number, body: Uint8Array): Buffer {
  const header = clientHeader(opcode, body.length);
  const frame = Buffer.allocUnsafe(header.length + body.length);
  frame.set(header);
  for (let i = 0; i < body.length; i++) frame[header.length + i] = (body[i] ?? 0) ^ (MASK[i & 3] ?? 0);
  return frame;
}

/** A masked text frame. */
export function textFrame(text: string): Buffer {
  return clientFrame(Opcode.text, Buffer.from(text));
}

/** Bytes of the header in front of a client's frame with a body of `length`. */
export function clientHeaderSize(length: number): number {
  if (length < 126) return 6;
  return length < 65_536 ? 8 : 14;
}

function clientHeader(opcode: number, length: number): Buffer {
  const header = Buffer.alloc(clientHeaderSize(length));
  header[0] = 0x80 | opcode;
  if (length < 126) header[1] = 0x80 | length;
  else if (length < 65_536) {
    header[1] = 0xfe;
    header.writeUInt16BE(length, 2);
  } else {
    header[1] = 0xff;
    header.writeBigUInt64BE(BigInt(length), 2);
  }
  header.set(MASK, header.length - 4);
  return header;
}
