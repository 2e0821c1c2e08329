import type { Duplex } from "node:stream";
import * as ws from "ws";

/** The part of ws that writes frames: pings, pongs and closes here, since publications and replies have their Outbox. */
export interface Sender {
  ping: (data: unknown, mask: boolean, callback?: () => void) => void;
  pong: (data: unknown, mask: boolean, callback?: () => void) => void;
  close: (code: number | undefined, data: unknown, mask: boolean, callback: (error?: Error) => void) => void;
}

/** Exported by ws, but not by its types. */
const { Sender: WsSender } = ws as unknown as { readonly Sender: new (socket: Duplex, extensions: object) => Sender };

/** A sender to a socket. It holds nothing but the socket between two frames, so one for each frame does. */
export function senderTo(socket: Duplex, extensions: object): Sender {
  return new WsSender(socket, extensions);
}
