/** How a single value is written. */
export type ValueKind =
  | "string"
  | "bytes"
  | "bool"
  | "uint32"
  | "fixed32"
  | "uint64"
  | "int64"
  | "missReason"
  | MessageShape;

/** One field of a message. */
export interface FieldShape {
  readonly no: number;
  readonly name: string;
  readonly kind: ValueKind;
  readonly isList: boolean;
  /** The name of the union in which it is one of several, held as `{ kind, value }`. */
  readonly oneof: string | undefined;
}

/** The fields of a message. */
export interface MessageShape {
  /** In the order of their numbers. */
  readonly fields: readonly FieldShape[];
  readonly byTag: ReadonlyMap<number, FieldShape>;
}

/** The wire types of protobuf. */
const VARINT = 0;
const LENGTH_DELIMITED = 2;
const FIXED32 = 5;

/** The values of RecoveryMiss by their numbers; in JSON each has the prefix `RECOVERY_MISS_`. */
export const MISS_REASONS = [
  "UNSPECIFIED",
  "EPOCH_CHANGED",
  "RETENTION",
  "CHECK_MISMATCH",
  "AHEAD",
  "SKIPPED",
] as const;
export const MISS_PREFIX = "RECOVERY_MISS_";

// The tables of PROTOCOL.md. Generated code reads them from descriptors at run time, which costs 33 kB in a bundle;
// these cost 1 kB, and a test holds them against the descriptors.

const STREAM_POSITION = shape([one(1, "epoch", "string"), one(2, "offset", "uint64"), one(3, "check", "fixed32")]);

const PAYLOAD = shape([choice(1, "kind", "data", "bytes"), choice(2, "kind", "json", "string")]);

const PUBLICATION = shape([
  one(1, "channel", "string"),
  one(2, "offset", "uint64"),
  one(3, "check", "fixed32"),
  one(4, "payload", PAYLOAD),
  one(5, "event", "string"),
  one(6, "publisher", "string"),
  one(7, "publishedAtMs", "int64"),
  one(8, "messageId", "string"),
  one(9, "traceParent", "string"),
]);

const EMPTY = shape([]);

const SUBSCRIBE = shape([one(1, "channel", "string"), one(2, "since", STREAM_POSITION), one(3, "rewind", "uint32")]);

const PUBLISH = shape([
  one(1, "channel", "string"),
  one(2, "payload", PAYLOAD),
  one(3, "event", "string"),
  one(4, "idempotencyKey", "string"),
  one(6, "traceParent", "string"),
]);

const READ_HISTORY = shape([
  one(1, "channel", "string"),
  one(2, "since", STREAM_POSITION),
  one(3, "limit", "uint32"),
  one(4, "backward", "bool"),
]);

const HELLO = shape([one(1, "sessionId", "string"), one(2, "sdk", "string"), list(3, "features", "string")]);

export const CLIENT_MESSAGE: MessageShape = shape([
  one(1, "id", "uint32"),
  choice(2, "body", "subscribe", SUBSCRIBE),
  choice(3, "body", "unsubscribe", shape([one(1, "channel", "string")])),
  choice(4, "body", "publish", PUBLISH),
  choice(5, "body", "refreshToken", shape([one(1, "token", "string")])),
  choice(6, "body", "readHistory", READ_HISTORY),
  choice(7, "body", "ping", EMPTY),
  choice(9, "body", "hello", HELLO),
]);

const LIMITS = shape([
  one(1, "maxMessageBytes", "uint32"),
  one(2, "maxFrameBytes", "uint32"),
  one(3, "maxSubscriptions", "uint32"),
  one(4, "maxHistory", "uint32"),
  one(5, "idempotencyWindowMs", "uint32"),
]);

const WELCOME = shape([
  one(1, "connectionId", "string"),
  one(2, "nodeId", "string"),
  one(3, "heartbeatIntervalMs", "uint32"),
  one(4, "heartbeatTimeoutMs", "uint32"),
  one(5, "tokenExpiresAtMs", "int64"),
  one(6, "limits", LIMITS),
  one(7, "tenantId", "string"),
  one(8, "userId", "string"),
  one(9, "serverTimeMs", "int64"),
  list(10, "features", "string"),
]);

const SUBSCRIBED = shape([
  one(1, "channel", "string"),
  one(2, "position", STREAM_POSITION),
  one(3, "recovered", "bool"),
  one(4, "miss", "missReason"),
  one(5, "missedCount", "uint64"),
  one(6, "top", STREAM_POSITION),
]);

const PUBLISHED = shape([
  one(1, "position", STREAM_POSITION),
  one(2, "duplicate", "bool"),
  one(3, "messageId", "string"),
]);

const HISTORY_PAGE = shape([
  list(1, "publications", PUBLICATION),
  one(2, "position", STREAM_POSITION),
  one(3, "more", "bool"),
  one(4, "miss", "missReason"),
  one(5, "top", STREAM_POSITION),
]);

const LAGGED = shape([
  one(1, "channel", "string"),
  one(2, "missedCount", "uint64"),
  one(3, "position", STREAM_POSITION),
  one(4, "reason", "missReason"),
]);

const ERROR = shape([
  one(1, "code", "string"),
  one(2, "message", "string"),
  one(3, "field", "string"),
  one(4, "errorId", "string"),
  one(5, "retryable", "bool"),
  one(6, "retryAfterMs", "uint32"),
]);

export const SERVER_MESSAGE: MessageShape = shape([
  one(1, "replyTo", "uint32"),
  choice(2, "body", "welcome", WELCOME),
  choice(3, "body", "subscribed", SUBSCRIBED),
  choice(4, "body", "unsubscribed", shape([one(1, "channel", "string"), one(2, "code", "string")])),
  choice(5, "body", "published", PUBLISHED),
  choice(6, "body", "tokenRefreshed", shape([one(1, "tokenExpiresAtMs", "int64"), one(2, "serverTimeMs", "int64")])),
  choice(7, "body", "historyPage", HISTORY_PAGE),
  choice(8, "body", "pong", EMPTY),
  choice(9, "body", "publication", PUBLICATION),
  choice(10, "body", "lagged", LAGGED),
  choice(11, "body", "goAway", shape([one(1, "reconnectAfterMs", "uint32"), one(2, "reason", "string")])),
  choice(14, "body", "error", ERROR),
]);

/** A frame is a list of messages in field 1, in both directions. */
export const CLIENT_FRAME: MessageShape = shape([list(1, "messages", CLIENT_MESSAGE)]);
export const SERVER_FRAME: MessageShape = shape([list(1, "messages", SERVER_MESSAGE)]);

function shape(fields: readonly FieldShape[]): MessageShape {
  return { fields, byTag: new Map(fields.map((field) => [tagOf(field.no, field.kind), field])) };
}

/** The number of a field and its wire type, as protobuf writes them before the value. */
export function tagOf(no: number, kind: ValueKind): number {
  return no * 8 + wireTypeOf(kind);
}

function wireTypeOf(kind: ValueKind): number {
  if (kind === "fixed32") return FIXED32;
  return typeof kind === "object" || kind === "string" || kind === "bytes" ? LENGTH_DELIMITED : VARINT;
}

function one(no: number, name: string, kind: ValueKind): FieldShape {
  return { no, name, kind, isList: false, oneof: undefined };
}

function list(no: number, name: string, kind: ValueKind): FieldShape {
  return { no, name, kind, isList: true, oneof: undefined };
}

function choice(no: number, oneof: string, name: string, kind: ValueKind): FieldShape {
  return { no, name, kind, isList: false, oneof };
}
