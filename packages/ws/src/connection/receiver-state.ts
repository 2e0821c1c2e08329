/* oxlint-disable no-underscore-dangle -- the names are ws's own */
import type { WebSocket } from "ws";

/** The parts of ws's receiver that say whether it waits for the rest of a message; ws has no time limit of its own. */
interface ReceiverState {
  readonly _receiver?: {
    readonly _state: number;
    readonly _fragmented: number;
    readonly _bufferedBytes: number;
  };
}

/** True when a client has sent a part of a message or frame and not the rest. A test holds it against ws itself. */
export function awaitsRestOfMessage(webSocket: WebSocket): boolean {
  const receiver = (webSocket as unknown as ReceiverState)._receiver;
  return receiver !== undefined && (receiver._state !== 0 || receiver._fragmented !== 0 || receiver._bufferedBytes > 0);
}
