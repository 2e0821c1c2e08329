import {
  create,
  fromBinary,
  fromJson,
  type JsonValue,
  type MessageInitShape,
  toBinary,
  toJson,
} from "@bufbuild/protobuf";
import { CodecError } from "./codec-error.ts";
import { encodableCheck } from "./encodable.ts";
import type { Encoding } from "./encoding.ts";
import { type ServerFrame, ServerFrameSchema, type ServerMessage, ServerMessageSchema } from "./gen/pm/v1/server_pb.ts";
import { parseWithoutNulls } from "./json-nulls.ts";

declare const TextEncoder: { new (): { encode(text: string): Uint8Array<ArrayBuffer> } };

const BINARY_OPTIONS = { readUnknownFields: false, recursionLimit: 8 } as const;
const JSON_OPTIONS = { ignoreUnknownFields: true, recursionLimit: 8 } as const;
const assertEncodable = /* @__PURE__ */ encodableCheck(ServerMessageSchema);
const UTF8 = new TextEncoder();

/** How a server message is written down before it is encoded. */
export type ServerMessageInit = MessageInitShape<typeof ServerMessageSchema>;

/**
 * Encodes one server message as an element of a frame: in `proto` the bytes of a frame with this message alone, so that
 * elements one after the other are a frame; in `json` the UTF-8 text of the message, to be joined by commas.
 * @throws CodecError `ENCODE_ERROR` for numbers out of range and for strings that are not well-formed
 */
export function encodeServerElement(init: ServerMessageInit, encoding: Encoding): Uint8Array<ArrayBuffer> {
  try {
    const message = create(ServerMessageSchema, init);
    assertEncodable(message);
    if (encoding === "json") return UTF8.encode(JSON.stringify(toJson(ServerMessageSchema, message)));
    return toBinary(ServerFrameSchema, create(ServerFrameSchema, { messages: [message] }));
  } catch (cause) {
    throw cause instanceof CodecError ? cause : CodecError.unencodable(cause);
  }
}

/**
 * Decodes what a server sent: bytes for `proto`, text for `json`. Unknown fields and enum values are ignored.
 * @throws CodecError `DECODE_ERROR`, and nothing else
 */
export function decodeServerFrame(data: Uint8Array | string, encoding: Encoding): ServerMessage[] {
  try {
    return decode(data, encoding).messages;
  } catch (cause) {
    throw cause instanceof CodecError ? cause : CodecError.undecodable("it is not a ServerFrame", { cause });
  }
}

function decode(data: Uint8Array | string, encoding: Encoding): ServerFrame {
  if (encoding === "json" && typeof data === "string")
    return fromJson(ServerFrameSchema, parseWithoutNulls(data) as JsonValue, JSON_OPTIONS);
  if (encoding === "proto" && typeof data !== "string") return fromBinary(ServerFrameSchema, data, BINARY_OPTIONS);
  throw CodecError.undecodable(`it is ${typeof data === "string" ? "text" : "binary"}, and ${encoding} was agreed`);
}
