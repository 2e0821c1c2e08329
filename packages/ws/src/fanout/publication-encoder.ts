import type { ChannelName } from "@pm/core";
import { bytesOf } from "../log/byte-string.ts";
import type { LogEntry, PublicationPayload } from "../log/broker.ts";

// The hand-written form of ServerFrame { messages: [ServerMessage { publication: … }] }, one after the other. A tenth of
// the time of the generated encoder, and byte for byte the same, which a property test holds.

/** Strings up to this length are written by a loop: a call into Node's encoder costs more. */
const SHORT_STRING = 48;

/** Encodes entries of one channel as elements of a server frame in binary, one after the other, behind `room` bytes. */
export function encodePublications(
  channel: ChannelName,
  entries: readonly LogEntry[],
  room: (size: number) => number,
): Encoded {
  const sizes: number[] = [];
  let total = 0;
  for (const entry of entries) {
    const size = publicationSize(channel, entry);
    sizes.push(size);
    total += elementSize(size);
  }
  const offset = room(total);
  const bytes = Buffer.allocUnsafe(offset + total);
  let at = offset;
  for (let i = 0; i < entries.length; i++) {
    const entry = entries[i];
    const size = sizes[i];
    if (entry === undefined || size === undefined) continue;
    bytes[at++] = 0x0a;
    at = writeVarint(bytes, at, 1 + varintSize(size) + size);
    bytes[at++] = 0x4a;
    at = writeVarint(bytes, at, size);
    at = writePublication(bytes, at, channel, entry);
  }
  return { bytes, offset };
}

/** Elements behind some room at the front. */
export interface Encoded {
  readonly bytes: Buffer;
  readonly offset: number;
}

function elementSize(publication: number): number {
  const message = 1 + varintSize(publication) + publication;
  return 1 + varintSize(message) + message;
}

function publicationSize(channel: ChannelName, entry: LogEntry): number {
  return (
    1 +
    delimitedSize(channel.length) +
    varintFieldSize(entry.offset) +
    5 +
    (entry.payload === undefined ? 0 : 1 + delimitedSize(payloadSize(entry.payload))) +
    stringFieldSize(entry.event) +
    stringFieldSize(entry.publisher) +
    varintFieldSize(entry.publishedAtMs) +
    stringFieldSize(entry.messageId) +
    stringFieldSize(entry.traceParent)
  );
}

function payloadSize(payload: PublicationPayload): number {
  return 1 + delimitedSize(payload.kind === "data" ? payload.data.length : utf8Size(payload.json));
}

function writePublication(target: Buffer, start: number, channel: ChannelName, entry: LogEntry): number {
  let at = writeStringField(target, start, 0x0a, channel);
  at = writeVarintField(target, at, 0x10, entry.offset);
  at = writeCheck(target, at, entry.check);
  if (entry.payload !== undefined) at = writePayload(target, at, entry.payload);
  at = writeStringField(target, at, 0x2a, entry.event);
  at = writeStringField(target, at, 0x32, entry.publisher);
  at = writeVarintField(target, at, 0x38, entry.publishedAtMs);
  at = writeStringField(target, at, 0x42, entry.messageId);
  return writeStringField(target, at, 0x4a, entry.traceParent);
}

/** A fixed32; an entry's tag is never zero. */
function writeCheck(target: Buffer, at: number, check: number): number {
  target[at] = 0x1d;
  target[at + 1] = check;
  target[at + 2] = check >>> 8;
  target[at + 3] = check >>> 16;
  target[at + 4] = check >>> 24;
  return at + 5;
}

function writePayload(target: Buffer, start: number, payload: PublicationPayload): number {
  target[start] = 0x22;
  const at = writeVarint(target, start + 1, payloadSize(payload));
  if (payload.kind === "json") return writeStringField(target, at, 0x12, payload.json, true);
  target[at] = 0x0a;
  const { data } = payload;
  return writeOneByteText(target, writeVarint(target, at + 1, data.length), data);
}

function writeStringField(target: Buffer, start: number, tag: number, text: string, isPresent = false): number {
  if (text.length === 0 && !isPresent) return start;
  target[start] = tag;
  const size = utf8Size(text);
  const at = writeVarint(target, start + 1, size);
  if (size === text.length) return writeOneByteText(target, at, text);
  return at + target.write(text, at, size, "utf8");
}

function writeOneByteText(target: Buffer, at: number, text: string): number {
  const { length } = text;
  if (length > SHORT_STRING) return at + target.write(text, at, length, "latin1");
  for (let i = 0; i < length; i++) target[at + i] = text.charCodeAt(i);
  return at + length;
}

function writeVarintField(target: Buffer, start: number, tag: number, value: number): number {
  if (value === 0) return start;
  target[start] = tag;
  return writeVarint(target, start + 1, value);
}

function stringFieldSize(text: string): number {
  return text.length === 0 ? 0 : 1 + delimitedSize(utf8Size(text));
}

function varintFieldSize(value: number): number {
  return value === 0 ? 0 : 1 + varintSize(value);
}

function delimitedSize(content: number): number {
  return varintSize(content) + content;
}

function utf8Size(text: string): number {
  const { length } = text;
  if (length > SHORT_STRING) return Buffer.byteLength(text, "utf8");
  for (let i = 0; i < length; i++) {
    if (text.charCodeAt(i) > 0x7f) return Buffer.byteLength(text, "utf8");
  }
  return length;
}

function varintSize(value: number): number {
  if (value < 0x80) return 1;
  if (value < 0x4000) return 2;
  let size = 3;
  for (let rest = value / 0x200000; rest >= 1; rest /= 0x80) size++;
  return size;
}

function writeVarint(target: Buffer, start: number, value: number): number {
  let at = start;
  let rest = value;
  while (rest > 0x7fffffff) {
    target[at++] = (rest % 0x80) | 0x80;
    rest = Math.floor(rest / 0x80);
  }
  while (rest >= 0x80) {
    target[at++] = (rest & 0x7f) | 0x80;
    rest >>>= 7;
  }
  target[at++] = rest;
  return at;
}

/** Encodes entries of one channel as elements of a server frame in ProtoJSON, joined by commas. */
export function encodeJsonPublications(channel: ChannelName, entries: readonly LogEntry[]): Buffer {
  return Buffer.from(
    entries.map((entry) => JSON.stringify({ publication: jsonPublication(channel, entry) })).join(","),
  );
}

/** 64-bit integers are strings, zero values are absent. */
function jsonPublication(channel: ChannelName, entry: LogEntry): Record<string, unknown> {
  const { payload } = entry;
  return {
    channel,
    offset: String(entry.offset),
    check: entry.check,
    ...(payload === undefined ? {} : { payload: jsonPayload(payload) }),
    ...(entry.event === "" ? {} : { event: entry.event }),
    ...(entry.publisher === "" ? {} : { publisher: entry.publisher }),
    ...(entry.publishedAtMs === 0 ? {} : { publishedAtMs: String(entry.publishedAtMs) }),
    ...(entry.messageId === "" ? {} : { messageId: entry.messageId }),
    ...(entry.traceParent === "" ? {} : { traceParent: entry.traceParent }),
  };
}

function jsonPayload(payload: PublicationPayload): Record<string, string> {
  return payload.kind === "json" ? { json: payload.json } : { data: bytesOf(payload.data).toString("base64") };
}
