import { type Encoding, encodeServerElement, type ServerMessageInit } from "@pm/proto";
import {
  delimitedSize,
  stringFieldSize,
  varintFieldSize,
  writeFixed32Field,
  writeStringField,
  writeVarint,
  writeVarintField,
} from "./wire-writer.ts";

type Body = NonNullable<ServerMessageInit["body"]>;
type Published = Extract<Body, { case: "published" }>["value"];
type Subscribed = Extract<Body, { case: "subscribed" }>["value"];
type Welcome = Extract<Body, { case: "welcome" }>["value"];
type Position = NonNullable<Published["position"]>;
type Limits = NonNullable<Welcome["limits"]>;

/**
 * Encodes a message that goes to one connection alone. Welcome, Subscribed and Published, of which there is one for
 * each handshake, subscription and publication, are written by hand in a tenth of the time; a test holds that they are
 * the same, byte for byte.
 */
export function encodeReply(message: ServerMessageInit, encoding: Encoding): Buffer {
  const body = message.body;
  if (encoding === "proto") {
    const replyTo = message.replyTo ?? 0;
    if (body?.case === "published") return encodePublished(replyTo, body.value);
    if (body?.case === "subscribed") return encodeSubscribed(replyTo, body.value);
    if (body?.case === "welcome") return encodeWelcome(body.value);
  }
  const { buffer, byteOffset, byteLength } = encodeServerElement(message, encoding);
  return Buffer.from(buffer, byteOffset, byteLength);
}

/** Begins ServerFrame { messages: [ServerMessage { reply_to, body }] } for a body of a known size. */
function beginElement(replyTo: number, tag: number, size: number): { target: Buffer; at: number } {
  const message = varintFieldSize(replyTo) + 1 + delimitedSize(size);
  const target = Buffer.allocUnsafe(1 + delimitedSize(message));
  target[0] = 0x0a;
  let at = writeVarint(target, 1, message);
  at = writeVarintField(target, at, 0x08, replyTo);
  target[at] = tag;
  at = writeVarint(target, at + 1, size);
  return { target, at };
}

function encodePublished(replyTo: number, value: Published): Buffer {
  const { position, duplicate = false, messageId = "" } = value;
  const size = positionFieldSize(position) + (duplicate ? 2 : 0) + stringFieldSize(messageId);
  const { target, at: start } = beginElement(replyTo, 0x2a, size);
  let at = writePositionField(target, start, 0x0a, position);
  at = writeVarintField(target, at, 0x10, duplicate ? 1 : 0);
  writeStringField(target, at, 0x1a, messageId);
  return target;
}

function encodeSubscribed(replyTo: number, value: Subscribed): Buffer {
  const { channel = "", position, recovered = false, miss = 0, missedCount = 0n, top } = value;
  const missed = Number(missedCount);
  const size =
    stringFieldSize(channel) +
    positionFieldSize(position) +
    (recovered ? 2 : 0) +
    varintFieldSize(miss) +
    varintFieldSize(missed) +
    positionFieldSize(top);
  const { target, at: start } = beginElement(replyTo, 0x1a, size);
  let at = writeStringField(target, start, 0x0a, channel);
  at = writePositionField(target, at, 0x12, position);
  at = writeVarintField(target, at, 0x18, recovered ? 1 : 0);
  at = writeVarintField(target, at, 0x20, miss);
  at = writeVarintField(target, at, 0x28, missed);
  writePositionField(target, at, 0x32, top);
  return target;
}

/** The limits are the same object in each Welcome of a server: written once, and then copied. */
const WRITTEN_LIMITS = new WeakMap<Limits, Buffer>();

function encodeWelcome(value: Welcome): Buffer {
  const { connectionId = "", nodeId = "", tenantId = "", userId = "", limits = {}, features = [] } = value;
  const { heartbeatIntervalMs = 0, heartbeatTimeoutMs = 0 } = value;
  const expires = Number(value.tokenExpiresAtMs ?? 0n);
  const serverTime = Number(value.serverTimeMs ?? 0n);
  const limitsBytes = limitsField(limits);
  let size =
    stringFieldSize(connectionId) +
    stringFieldSize(nodeId) +
    varintFieldSize(heartbeatIntervalMs) +
    varintFieldSize(heartbeatTimeoutMs) +
    varintFieldSize(expires) +
    limitsBytes.length +
    stringFieldSize(tenantId) +
    stringFieldSize(userId) +
    varintFieldSize(serverTime);
  for (const feature of features) size += stringFieldSize(feature);
  const { target, at: start } = beginElement(0, 0x12, size);
  let at = writeStringField(target, start, 0x0a, connectionId);
  at = writeStringField(target, at, 0x12, nodeId);
  at = writeVarintField(target, at, 0x18, heartbeatIntervalMs);
  at = writeVarintField(target, at, 0x20, heartbeatTimeoutMs);
  at = writeVarintField(target, at, 0x28, expires);
  target.set(limitsBytes, at);
  at += limitsBytes.length;
  at = writeStringField(target, at, 0x3a, tenantId);
  at = writeStringField(target, at, 0x42, userId);
  at = writeVarintField(target, at, 0x48, serverTime);
  for (const feature of features) at = writeStringField(target, at, 0x52, feature);
  return target;
}

function positionSize({ epoch = "", offset = 0n, check = 0 }: Position): number {
  return stringFieldSize(epoch) + varintFieldSize(Number(offset)) + (check === 0 ? 0 : 5);
}

function positionFieldSize(position: Position | undefined): number {
  return position === undefined ? 0 : 1 + delimitedSize(positionSize(position));
}

function writePositionField(target: Buffer, start: number, tag: number, position: Position | undefined): number {
  if (position === undefined) return start;
  target[start] = tag;
  let at = writeVarint(target, start + 1, positionSize(position));
  at = writeStringField(target, at, 0x0a, position.epoch ?? "");
  at = writeVarintField(target, at, 0x10, Number(position.offset ?? 0n));
  return writeFixed32Field(target, at, 0x1d, position.check ?? 0);
}

function limitsField(limits: Limits): Buffer {
  const written = WRITTEN_LIMITS.get(limits);
  if (written !== undefined) return written;
  const field = Buffer.allocUnsafeSlow(1 + delimitedSize(limitsSize(limits)));
  writeLimitsField(field, 0, limits);
  WRITTEN_LIMITS.set(limits, field);
  return field;
}

function limitsSize(limits: Limits): number {
  return (
    varintFieldSize(limits.maxMessageBytes ?? 0) +
    varintFieldSize(limits.maxFrameBytes ?? 0) +
    varintFieldSize(limits.maxSubscriptions ?? 0) +
    varintFieldSize(limits.maxHistory ?? 0) +
    varintFieldSize(limits.idempotencyWindowMs ?? 0)
  );
}

function writeLimitsField(target: Buffer, start: number, limits: Limits): number {
  target[start] = 0x32;
  let at = writeVarint(target, start + 1, limitsSize(limits));
  at = writeVarintField(target, at, 0x08, limits.maxMessageBytes ?? 0);
  at = writeVarintField(target, at, 0x10, limits.maxFrameBytes ?? 0);
  at = writeVarintField(target, at, 0x18, limits.maxSubscriptions ?? 0);
  at = writeVarintField(target, at, 0x20, limits.maxHistory ?? 0);
  return writeVarintField(target, at, 0x28, limits.idempotencyWindowMs ?? 0);
}
