// For applications.
export type { Encoding } from "./encoding.ts";
export { BEARER_SUBPROTOCOL_PREFIX, encodingOf, SUBPROTOCOLS } from "./encoding.ts";
export type { BearerToken } from "./bearer-token.ts";
export { findBearerToken } from "./bearer-token.ts";
export { CloseCode } from "./close-code.ts";
export type { ClientError, PublicErrorCode } from "./client-error.ts";
export { PUBLIC_ERRORS, toClientError } from "./client-error.ts";
export type { CodecErrorCode } from "./codec-error.ts";
export { CodecError } from "./codec-error.ts";
export { decodeClientFrame, encodeClientFrame } from "./client-frame-codec.ts";
export type { ServerMessageInit } from "./server-frame-codec.ts";
export { decodeServerFrame, encodeServerElement } from "./server-frame-codec.ts";
export { assertJsonBudget } from "./json-budget.ts";
export { ProtoBudget } from "./proto-budget.ts";
export { MAX_FRAME_FIELDS, MAX_FRAME_MESSAGES, MAX_JSON_DEPTH } from "./structure-budget.ts";

// The messages of pm.v1.
export type { Payload, Publication, StreamPosition } from "./gen/pm/v1/log_pb.ts";
export { PayloadSchema, PublicationSchema, RecoveryMiss, StreamPositionSchema } from "./gen/pm/v1/log_pb.ts";
export type {
  ClientFrame,
  ClientMessage,
  Hello,
  Ping,
  Publish,
  ReadHistory,
  RefreshToken,
  Subscribe,
  Unsubscribe,
} from "./gen/pm/v1/client_pb.ts";
export { ClientFrameSchema, ClientMessageSchema } from "./gen/pm/v1/client_pb.ts";
export type {
  Error as ErrorMessage,
  GoAway,
  HistoryPage,
  Lagged,
  Limits,
  Pong,
  Published,
  ServerFrame,
  ServerMessage,
  Subscribed,
  TokenRefreshed,
  Unsubscribed,
  Welcome,
} from "./gen/pm/v1/server_pb.ts";
export { ServerFrameSchema, ServerMessageSchema } from "./gen/pm/v1/server_pb.ts";
