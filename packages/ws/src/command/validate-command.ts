import { type ChannelName, isChannelName, type StringCache } from "@pm/core";
import type {
  ClientMessage,
  Hello,
  Payload,
  Publish,
  ReadHistory,
  StreamPosition as StreamPositionMessage,
  Subscribe,
} from "@pm/proto";
import type { PublicationPayload } from "../log/broker.ts";
import type { StreamPosition } from "../log/stream-position.ts";
import { WsError } from "../ws-error.ts";
import type { Command, HelloCommand, PublishCommand, ReadHistoryCommand, SubscribeCommand } from "./command.ts";

/** Publications in one HistoryPage, and the most that `rewind` may ask for. */
export const MAX_HISTORY = 1000;
const DEFAULT_HISTORY = 100;
const MAX_LABEL_BYTES = 64;
const MAX_TRACE_PARENT_BYTES = 128;
const MAX_EPOCH_BYTES = 64;
const MAX_TOKEN_BYTES = 8192;
const MAX_SESSION_BYTES = 64;
const MAX_SDK_BYTES = 128;
const MAX_FEATURES = 32;

/**
 * Turns a decoded message into a command. Its bytes are still those of the socket.
 * @param channels names that are used again
 * @throws WsError `INVALID_MESSAGE` with the field
 */
export function validateCommand(message: ClientMessage, channels: StringCache): Command {
  const { body } = message;
  switch (body.case) {
    case "publish":
      return publishCommand(body.value, channels);
    case "subscribe":
      return subscribeCommand(body.value, channels);
    case "unsubscribe":
      return { kind: "unsubscribe", channel: channelOf(body.value.channel, channels) };
    case "readHistory":
      return readHistoryCommand(body.value, channels);
    case "refreshToken":
      return { kind: "refresh-token", token: boundedText("token", body.value.token, MAX_TOKEN_BYTES) };
    case "hello":
      return helloCommand(body.value);
    case "ping":
      return { kind: "ping" };
    case undefined:
      throw WsError.invalidMessage("body", "is missing or not known");
    default:
      return unreachable(body);
  }
}

function publishCommand(publish: Publish, channels: StringCache): PublishCommand {
  return {
    kind: "publish",
    channel: channelOf(publish.channel, channels),
    payload: payloadOf(publish.payload),
    event: boundedText("event", publish.event, MAX_LABEL_BYTES),
    idempotencyKey: boundedText("idempotency_key", publish.idempotencyKey, MAX_LABEL_BYTES),
    traceParent: boundedText("trace_parent", publish.traceParent, MAX_TRACE_PARENT_BYTES),
  };
}

function subscribeCommand(subscribe: Subscribe, channels: StringCache): SubscribeCommand {
  const channel = channelOf(subscribe.channel, channels);
  if (subscribe.since !== undefined && subscribe.rewind > 0) {
    throw WsError.invalidMessage("rewind", "cannot be given together with since");
  }
  if (subscribe.rewind > MAX_HISTORY) {
    throw WsError.invalidMessage("rewind", `is ${subscribe.rewind} (at most ${MAX_HISTORY})`);
  }
  return { kind: "subscribe", channel, since: positionOf(subscribe.since), rewind: subscribe.rewind };
}

function readHistoryCommand(read: ReadHistory, channels: StringCache): ReadHistoryCommand {
  if (read.limit > MAX_HISTORY) throw WsError.invalidMessage("limit", `is ${read.limit} (at most ${MAX_HISTORY})`);
  return {
    kind: "read-history",
    channel: channelOf(read.channel, channels),
    since: positionOf(read.since),
    limit: read.limit === 0 ? DEFAULT_HISTORY : read.limit,
    backward: read.backward,
  };
}

function helloCommand(hello: Hello): HelloCommand {
  boundedText("sdk", hello.sdk, MAX_SDK_BYTES);
  if (hello.features.length > MAX_FEATURES) {
    throw WsError.invalidMessage("features", `has ${hello.features.length} elements (at most ${MAX_FEATURES})`);
  }
  for (const feature of hello.features) boundedText("features", feature, MAX_LABEL_BYTES);
  return { kind: "hello", sessionId: boundedText("session_id", hello.sessionId, MAX_SESSION_BYTES) };
}

function channelOf(value: string, channels: StringCache): ChannelName {
  if (isChannelName(value)) return channels.of(value) as ChannelName;
  throw WsError.invalidMessage("channel", `has ${value.length} characters, or one outside the grammar`);
}

function positionOf(message: StreamPositionMessage | undefined): StreamPosition | undefined {
  if (message === undefined) return undefined;
  if (message.offset > BigInt(Number.MAX_SAFE_INTEGER)) throw WsError.invalidMessage("since.offset", "is over 2^53");
  const epoch = boundedText("since.epoch", message.epoch, MAX_EPOCH_BYTES);
  return { epoch, offset: Number(message.offset), check: message.check };
}

function payloadOf(payload: Payload | undefined): PublicationPayload | undefined {
  switch (payload?.kind.case) {
    case "data":
      return { kind: "data", data: payload.kind.value };
    case "json":
      if (payload.kind.value.isWellFormed()) return { kind: "json", json: payload.kind.value };
      throw WsError.invalidMessage("payload.json", "has a lone surrogate");
    case undefined:
      return undefined;
    default:
      return unreachable(payload as never);
  }
}

/** Most fields are short: the length in characters settles them without counting bytes. */
function boundedText(field: string, text: string, maxBytes: number): string {
  if (text.length === 0) return text;
  if (text.length * 3 > maxBytes && Buffer.byteLength(text) > maxBytes) {
    throw WsError.invalidMessage(field, `has ${Buffer.byteLength(text)} bytes (at most ${maxBytes})`);
  }
  if (!text.isWellFormed()) throw WsError.invalidMessage(field, "has a lone surrogate");
  return text;
}

function unreachable(value: never): never {
  throw WsError.invalidMessage("body", `of an unknown kind ${String(value)}`);
}
