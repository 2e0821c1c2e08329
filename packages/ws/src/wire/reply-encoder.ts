import { type Encoding, encodeServerElement, type ServerMessageInit } from "@pm/proto";
import { encodeHistoryPage, type HistoryPageBody } from "./history-page-encoder.ts";
import { beginElement, positionFieldSize, writePositionField } from "./reply-writer.ts";
import {
  delimitedSize,
  stringFieldSize,
  varintFieldSize,
  writeStringField,
  writeVarint,
  writeVarintField,
} from "./wire-writer.ts";

type Body = NonNullable<ServerMessageInit["body"]>;
type Published = Extract<Body, { case: "published" }>["value"];
type Subscribed = Extract<Body, { case: "subscribed" }>["value"];
type Welcome = Extract<Body, { case: "welcome" }>["value"];
type Limits = NonNullable<Welcome["limits"]>;

/** The body of a message to one connection alone. */
export type ReplyBody = Exclude<Body, { case: "historyPage" | "publication" | undefined }> | HistoryPageBody;

/**
 * Encodes a message that goes to one connection alone: a push where `replyTo` is 0. Welcome, Subscribed and Published,
 * of which there is one for each handshake, subscription and publication, are written by hand in a tenth of the time; a
 * test holds that they are the same, byte for byte.
 */
export function encodeReply(replyTo: number, body: ReplyBody, encoding: Encoding): Buffer {
  if (encoding === "proto") {
    if (body.case === "published") return encodePublished(replyTo, body.value);
    if (body.case === "subscribed") return encodeSubscribed(replyTo, body.value);
    if (body.case === "welcome") return encodeWelcome(body.value);
  }
  const { buffer, byteOffset, byteLength } =
    body.case === "historyPage"
      ? encodeHistoryPage(replyTo, body, encoding)
      : encodeServerElement({ replyTo, body }, encoding);
  return Buffer.from(buffer, byteOffset, byteLength);
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
