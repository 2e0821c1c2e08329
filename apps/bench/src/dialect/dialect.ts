import type { StampedFrame } from "../wire/stamped-frame.ts";

/** The servers that are measured. */
export const SERVER_KINDS = ["ws", "socket.io", "pm"] as const;

/** One of them. */
export type ServerKind = (typeof SERVER_KINDS)[number];

/** A step of what a connection does after its upgrade. */
export type LoginStep =
  | { readonly kind: "send"; readonly frame: Buffer }
  /** Goes on when a frame contains these bytes; when there are none, with any frame. */
  | { readonly kind: "wait"; readonly bytes: Buffer };

/** How a server is spoken to. */
export interface Dialect {
  readonly path: string;
  readonly subprotocol: string | undefined;
  /** True when connections need a token. */
  readonly needsToken: boolean;
  /** What has to be done before anything else. */
  readonly login: readonly LoginStep[];
  /** What subscribes to a channel, and says that it is done. */
  subscribe(channel: string): readonly LoginStep[];
  /** What publishes a payload to a channel. */
  publish(channel: string, payload: string): StampedFrame;
  /** The answer to an application's own ping; undefined for every other frame. */
  answer(bytes: Buffer, start: number, end: number): Buffer | undefined;
}

/** Name of the n-th channel, always of the same length. */
export function channelName(n: number): string {
  return `c${String(n).padStart(CHANNEL_NAME_BYTES - 1, "0")}`;
}

/** Length of every channel name. */
export const CHANNEL_NAME_BYTES = 7;
