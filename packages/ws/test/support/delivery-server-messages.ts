import type { ChannelKindsOptions, StreamPosition } from "../../src/index.ts";

/** What a test asks of a server in another process. */
export type DeliveryServerRequest =
  | { readonly kind: "publish"; readonly publish: BackendPublish }
  /** Memory is measured from here on. */
  | { readonly kind: "measure" }
  | { readonly kind: "stats" };

/** Publications of a backend, with payload ids from `<prefix>1` to `<prefix><count>`. */
export interface BackendPublish {
  readonly tenant: string;
  readonly channel: string;
  readonly prefix: string;
  readonly count: number;
  readonly bytes: number;
  /** Turns of the event loop are let in after as many, so that readers are served meanwhile. */
  readonly atOnce: number;
}

/** What it answers. */
export type DeliveryServerReply =
  | { readonly kind: "listening"; readonly port: number }
  | { readonly kind: "published"; readonly position: StreamPosition; readonly messageId: string }
  | { readonly kind: "measuring" }
  | { readonly kind: "stats"; readonly stats: DeliveryServerStats };

export interface DeliveryServerStats {
  /** Bytes that sockets have not taken. */
  readonly queuedBytes: number;
  /** The most that there were since `measure`. */
  readonly mostQueuedBytes: number;
  /** Connections that are behind. */
  readonly lagging: number;
  /** How much the process has grown since `measure`, at most. */
  readonly grownBytes: number;
}

/** How the server is set up; handed over as its argument. */
export interface DeliveryServerSetup {
  readonly channelKinds: ChannelKindsOptions;
}
