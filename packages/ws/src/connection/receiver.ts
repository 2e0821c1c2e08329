/* oxlint-disable no-underscore-dangle -- the names are ws's own */
import { Writable } from "node:stream";
import type { WebSocket } from "ws";

/** The stream in which ws reads frames, with the parts that say whether it waits for the rest of a message. */
interface Receiver {
  readonly _state: number;
  readonly _fragmented: number;
  readonly _bufferedBytes: number;
  readonly writableEnded: boolean;
  end: () => unknown;
}

/** True when a client has sent a part of a message or frame and not the rest. A test holds it against ws itself. */
export function awaitsRestOfMessage(webSocket: WebSocket): boolean {
  const receiver = receiverOf(webSocket);
  return receiver !== undefined && (receiver._state !== 0 || receiver._fragmented !== 0 || receiver._bufferedBytes > 0);
}

/**
 * ws ends its receiver when the socket ends and again when it closes, and Node answers the second time with an error
 * that nobody hears. Its stack trace is a sixth of all that a short connection costs.
 */
export function endReceiverOnce(webSocket: WebSocket): void {
  const receiver = receiverOf(webSocket);
  if (receiver !== undefined) receiver.end = endOnce;
}

function endOnce(this: Receiver): unknown {
  if (this.writableEnded) return this;
  const end: (this: Receiver) => unknown = Reflect.get(Writable.prototype, "end");
  return end.call(this);
}

function receiverOf(webSocket: WebSocket): Receiver | undefined {
  return (webSocket as unknown as { readonly _receiver?: Receiver })._receiver;
}
