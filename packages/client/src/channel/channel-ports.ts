import type { Connection } from "../connection/connection.ts";
import type { PmClientError } from "../pm-client-error.ts";
import type { PayloadType } from "../payload/payload-type.ts";
import type { PublishResult } from "../publish/pending-publish.ts";
import type { HistoryPageMessage, Publish, ReadHistory } from "../wire/messages.ts";
import type { SubscribeOptions } from "./subscribe-options.ts";
import type { Subscription } from "./subscription.ts";
import type { SubscriptionListener } from "./subscription-listener.ts";

/** What a channel needs of its client. */
export interface ChannelPorts {
  readonly joined: Connection | undefined;
  /** Why the client has ended; undefined before `connect` and after it. */
  readonly endedWith: PmClientError | undefined;
  addSubscription(name: string, listener: SubscriptionListener): Subscription;
  publish(message: Publish): Promise<PublishResult>;
  readHistory(question: ReadHistory): Promise<HistoryPageMessage>;
}

/** How a channel is set up. */
export interface ChannelInit<Data, Input> {
  readonly type: PayloadType<Data, Input>;
  readonly start: SubscribeOptions;
  readonly maxQueued: number;
  readonly newKey: () => string;
}
