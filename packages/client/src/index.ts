// For applications.
export type { ChannelOptions, ClientEvents } from "./pm-client.ts";
export { PmClient } from "./pm-client.ts";
export type { PmClientOptions } from "./client-options.ts";
export type { ClientState } from "./client-state.ts";
export type { ClientErrorCode, PmClientErrorCode, PmClientErrorDetails } from "./pm-client-error.ts";
export { PmClientError } from "./pm-client-error.ts";
export type { Channel } from "./channel/channel.ts";
export type { ChannelEvents, ChannelStateChange, InvalidPublication } from "./channel/channel-events.ts";
export type { PublishOptions } from "./publish/publish-options.ts";
export type { Publication } from "./channel/publication.ts";
export type { SubscribeOptions } from "./channel/subscribe-options.ts";
export type { Miss, Recovery, SubscriptionState } from "./channel/subscription-listener.ts";
export type { HistoryOptions, HistoryPage } from "./history/history-page.ts";
export type { PublishResult } from "./publish/pending-publish.ts";
export type { GetToken, TokenReason, TokenRequest } from "./token/token-source.ts";
export type { Unlisten } from "./emitter.ts";
export { anything, bytes, json } from "./payload/payload-type.ts";
export type { MissReason, StreamPosition } from "./wire/messages.ts";

// For authors of adapters.
export type { PayloadType } from "./payload/payload-type.ts";
export type { PayloadContent } from "./wire/messages.ts";
export type { CancelTimer, Clock } from "./platform/clock.ts";
export { systemClock } from "./platform/clock.ts";
export type { NetworkEvent, NetworkEvents } from "./platform/network-events.ts";
export { pageEvents } from "./platform/network-events.ts";
export type { Randomness } from "./platform/randomness.ts";
export { systemRandomness } from "./platform/randomness.ts";
export type { OpenSocket, Socket, SocketListener } from "./platform/socket.ts";
export { openWebSocket } from "./platform/socket.ts";
