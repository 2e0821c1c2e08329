import { create, fromBinary, fromJson, toBinary, toJson } from "@bufbuild/protobuf";
import { CodecError } from "./codec-error.ts";
import type { Encoding } from "./encoding.ts";
import { type ClientFrame, ClientFrameSchema, type ClientMessage } from "./gen/pm/v1/client_pb.ts";
import { assertJsonBudget, assertProtoBudget, MAX_FRAME_MESSAGES } from "./structure-budget.ts";

const BINARY_OPTIONS = { readUnknownFields: false, recursionLimit: 8 } as const;
const JSON_OPTIONS = { ignoreUnknownFields: true, recursionLimit: 8 } as const;

/**
 * Decodes what a client sent. Counts and nesting are checked before any object is made; unknown fields are ignored.
 * Byte fields of the result alias `data`: copy what is kept.
 * @param data bytes for `proto`, text for `json`
 * @throws CodecError `DECODE_ERROR`, and nothing else, for whatever is not a ClientFrame.
 */
export function decodeClientFrame(data: Uint8Array | string, encoding: Encoding): ClientMessage[] {
  const frame = encoding === "json" ? decodeJson(data) : decodeProto(data);
  if (frame.messages.length > MAX_FRAME_MESSAGES) throw CodecError.overBudget("messages", MAX_FRAME_MESSAGES);
  return frame.messages;
}

/** Encodes messages as one client frame: bytes for `proto`, text for `json`. */
export function encodeClientFrame(messages: ClientMessage[], encoding: Encoding): Uint8Array<ArrayBuffer> | string {
  const frame = create(ClientFrameSchema, { messages });
  try {
    return encoding === "json" ? JSON.stringify(toJson(ClientFrameSchema, frame)) : toBinary(ClientFrameSchema, frame);
  } catch (cause) {
    throw CodecError.unencodable(cause);
  }
}

function decodeProto(data: Uint8Array | string): ClientFrame {
  if (typeof data === "string") throw CodecError.undecodable("it is text, and binary was agreed");
  assertProtoBudget(data);
  try {
    return fromBinary(ClientFrameSchema, data, BINARY_OPTIONS);
  } catch (cause) {
    throw CodecError.undecodable("it is not a ClientFrame", { cause });
  }
}

function decodeJson(data: Uint8Array | string): ClientFrame {
  if (typeof data !== "string") throw CodecError.undecodable("it is binary, and text was agreed");
  assertJsonBudget(data);
  try {
    return fromJson(ClientFrameSchema, JSON.parse(data), JSON_OPTIONS);
  } catch (cause) {
    throw CodecError.undecodable("it is not a ClientFrame in ProtoJSON", { cause });
  }
}
