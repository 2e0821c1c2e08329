import type { ChannelName } from "@pm/core";
import type { PublicationPayload } from "../log/broker.ts";
import { contentStart, FIN_BINARY, headerSize, writeHeader } from "./websocket-frame.ts";
import {
  delimitedSize,
  digitCount,
  stringFieldSize,
  utf8Size,
  varintFieldSize,
  writeDecimal,
  writeFixed32Field,
  writeOneByteText,
  writeStringField,
  writeVarint,
  writeVarintField,
} from "./wire-writer.ts";

// The hand-written form of ServerFrame { messages: [ServerMessage { publication: … }] } in a WebSocket frame. A tenth
// of the time of the generated encoder, and byte for byte the same, which a property test holds.

/** What a Publication says. */
export interface PublicationFields {
  /** ASCII, as the grammar of channels has it. */
  readonly channel: ChannelName;
  readonly offset: number;
  readonly check: number;
  readonly payload: PublicationPayload | undefined;
  readonly event: string;
  readonly publisher: string;
  readonly publishedAtMs: number;
  /** The id of the message is this, a dot, and the offset. ASCII. */
  readonly idPrefix: string;
  readonly traceParent: string;
}

/** Encodes a publication as a WebSocket frame in binary with nothing else in it. */
export function encodePublication(publication: PublicationFields): Buffer {
  const content = publicationSize(publication);
  const frame = Buffer.allocUnsafe(frameSize(content));
  writeFrame(frame, publication, content);
  return frame;
}

/** Bytes of the Publication message alone. */
function publicationSize(publication: PublicationFields): number {
  const { channel, payload } = publication;
  return (
    1 +
    delimitedSize(channel.length) +
    varintFieldSize(publication.offset) +
    (publication.check === 0 ? 0 : 5) +
    (payload === undefined ? 0 : 1 + delimitedSize(payloadSize(payload))) +
    stringFieldSize(publication.event) +
    stringFieldSize(publication.publisher) +
    varintFieldSize(publication.publishedAtMs) +
    1 +
    delimitedSize(idSize(publication)) +
    stringFieldSize(publication.traceParent)
  );
}

/** Bytes of the frame around a Publication of a size. */
function frameSize(publication: number): number {
  const element = elementSize(publication);
  return headerSize(element) + element;
}

/** Writes a frame; `content` is its `publicationSize`. */
function writeFrame(target: Buffer, publication: PublicationFields, content: number): void {
  let at = writeHeader(target, 0, { first: FIN_BINARY, length: elementSize(content) });
  target[at] = 0x0a;
  at = writeVarint(target, at + 1, 1 + delimitedSize(content));
  target[at] = 0x4a;
  at = writeVarint(target, at + 1, content);
  target[at] = 0x0a;
  at = writeVarint(target, at + 1, publication.channel.length);
  at = writeOneByteText(target, at, publication.channel);
  at = writeVarintField(target, at, 0x10, publication.offset);
  at = writeFixed32Field(target, at, 0x1d, publication.check);
  if (publication.payload !== undefined) at = writePayload(target, at, publication.payload);
  at = writeStringField(target, at, 0x2a, publication.event);
  at = writeStringField(target, at, 0x32, publication.publisher);
  at = writeVarintField(target, at, 0x38, publication.publishedAtMs);
  at = writeId(target, at, publication);
  writeStringField(target, at, 0x4a, publication.traceParent);
}

/** The Publication message alone, out of its frame. */
export function publicationOf(frame: Buffer): Buffer {
  let at = contentStart(frame) + 1;
  for (let layer = 0; layer < 2; layer++) {
    while ((frame[at] ?? 0) > 0x7f) at++;
    at += layer === 0 ? 2 : 1;
  }
  return frame.subarray(at);
}

function elementSize(publication: number): number {
  return 1 + delimitedSize(1 + delimitedSize(publication));
}

function idSize({ idPrefix, offset }: PublicationFields): number {
  return idPrefix.length + 1 + digitCount(offset);
}

function writeId(target: Buffer, start: number, publication: PublicationFields): number {
  target[start] = 0x42;
  let at = writeVarint(target, start + 1, idSize(publication));
  at = writeOneByteText(target, at, publication.idPrefix);
  target[at] = 0x2e;
  return writeDecimal(target, at + 1, publication.offset);
}

function payloadSize(payload: PublicationPayload): number {
  return 1 + delimitedSize(payload.kind === "data" ? payload.data.byteLength : utf8Size(payload.json));
}

function writePayload(target: Buffer, start: number, payload: PublicationPayload): number {
  target[start] = 0x22;
  const at = writeVarint(target, start + 1, payloadSize(payload));
  if (payload.kind === "json") return writeStringField(target, at, 0x12, payload.json, true);
  target[at] = 0x0a;
  const { data } = payload;
  const begin = writeVarint(target, at + 1, data.byteLength);
  target.set(data, begin);
  return begin + data.byteLength;
}
