import { create, fromBinary, fromJson, type JsonValue, toBinary, toJson } from "@bufbuild/protobuf";
import type { StringCache } from "@pm/core";
import { CodecError } from "./codec-error.ts";
import { encodableCheck } from "./encodable.ts";
import type { Encoding } from "./encoding.ts";
import { ClientFrameSchema, type ClientMessage } from "./gen/pm/v1/client_pb.ts";
import { assertJsonBudget, assertMessageBudget } from "./json-budget.ts";
import { parseWithoutNulls } from "./json-nulls.ts";
import { ProtoBudget } from "./proto-budget.ts";
import { decodePublishFrame } from "./publish-decoder.ts";
import { MAX_FRAME_MESSAGES } from "./structure-budget.ts";

const BINARY_OPTIONS = { readUnknownFields: false, recursionLimit: 8 } as const;
const JSON_OPTIONS = { ignoreUnknownFields: true, recursionLimit: 8 } as const;
const BUDGET = /* @__PURE__ */ new ProtoBudget(ClientFrameSchema, ClientFrameSchema.field.messages);
const assertEncodable = /* @__PURE__ */ encodableCheck(ClientFrameSchema);

/**
 * Decodes what a client sent. Counts and nesting are checked before any message is made; unknown fields are ignored. No
 * bytes and no text are a frame without messages. Byte fields of the result alias `data`: copy what is kept.
 * @param data bytes for `proto`, text for `json`
 * @param channels the names of channels of publications in binary are those that are kept there
 * @throws CodecError `DECODE_ERROR`, and nothing else, for whatever is not a ClientFrame.
 */
export function decodeClientFrame(
  data: Uint8Array | string,
  encoding: Encoding,
  channels?: StringCache,
): ClientMessage[] {
  return encoding === "json" ? decodeJson(data) : decodeProto(data, channels);
}

/**
 * Encodes messages as one client frame: bytes for `proto`, text for `json`.
 * @throws CodecError `ENCODE_ERROR` for numbers out of range and for strings that are not well-formed
 */
export function encodeClientFrame(messages: ClientMessage[], encoding: Encoding): Uint8Array<ArrayBuffer> | string {
  try {
    const frame = create(ClientFrameSchema, { messages });
    assertEncodable(frame);
    return encoding === "json" ? JSON.stringify(toJson(ClientFrameSchema, frame)) : toBinary(ClientFrameSchema, frame);
  } catch (cause) {
    throw cause instanceof CodecError ? cause : CodecError.unencodable(cause);
  }
}

function decodeProto(data: Uint8Array | string, channels: StringCache | undefined): ClientMessage[] {
  if (typeof data === "string") throw CodecError.undecodable("it is text, and binary was agreed");
  const publications = decodePublishFrame(data, MAX_FRAME_MESSAGES, channels);
  if (publications !== undefined) return publications;
  BUDGET.assertWithin(data);
  try {
    return fromBinary(ClientFrameSchema, data, BINARY_OPTIONS).messages;
  } catch (cause) {
    throw CodecError.undecodable("it is not a ClientFrame", { cause });
  }
}

function decodeJson(data: Uint8Array | string): ClientMessage[] {
  if (typeof data !== "string") throw CodecError.undecodable("it is binary, and text was agreed");
  assertJsonBudget(data);
  try {
    const value = data === "" ? {} : (parseWithoutNulls(data) as JsonValue);
    assertMessageBudget(value);
    return fromJson(ClientFrameSchema, value, JSON_OPTIONS).messages;
  } catch (cause) {
    throw cause instanceof CodecError
      ? cause
      : CodecError.undecodable("it is not a ClientFrame in ProtoJSON", { cause });
  }
}
