import { type Encoding, encodeServerElement, type ServerMessageInit } from "@pm/proto";

/** Encodes a message that goes to one connection alone. */
export function encodeReply(message: ServerMessageInit, encoding: Encoding): Buffer {
  const { buffer, byteOffset, byteLength } = encodeServerElement(message, encoding);
  return Buffer.from(buffer, byteOffset, byteLength);
}
