/* oxlint-disable no-underscore-dangle -- the names are ws's own */
import { WebSocket } from "ws";
import type { Duplex } from "node:stream";
import { endReceiverOnce } from "./receiver.ts";
import { type Sender, senderTo } from "./sender.ts";

/** Hears the events of one WebSocket. */
export interface SocketOwner {
  onMessage(data: Buffer, isBinary: boolean): void;
  onPing(data: Buffer): void;
  onPong(): void;
  /** ws has refused what came, and closes. */
  onSocketError(error: Error & { readonly code?: string }): void;
  onClosed(code: number): void;
}

/** Shared by all, since none has any: ws makes an object of its own for each. */
const NO_EXTENSIONS: object = Object.freeze({});

/**
 * A WebSocket that hands its events to one owner instead of listeners: the table of five listeners takes 400 bytes a
 * connection, and looking a listener up takes longer than calling it.
 */
export class ClientSocket extends WebSocket {
  protected readonly _extensions: object = NO_EXTENSIONS;
  declare protected readonly _socket: Duplex;
  #owner: SocketOwner | undefined;

  /** Made for each control frame: kept, it takes 128 bytes, and there is one in many seconds. */
  protected get _sender(): Sender {
    return senderTo(this._socket, this._extensions);
  }

  protected set _sender(_: Sender) {
    // What ws makes at the beginning is let go.
  }

  setOwner(owner: SocketOwner): void {
    this.#owner = owner;
    endReceiverOnce(this);
    // Node's table of listeners, which it makes again when there is one: empty, it takes 184 bytes.
    if (this.eventNames().length === 0) Reflect.set(this, "_events", undefined);
  }

  override emit(event: string | symbol, ...args: unknown[]): boolean {
    const owner = this.#owner;
    if (owner === undefined) return super.emit(event, ...args);
    switch (event) {
      case "message":
        // The binary type of a server's socket is always nodebuffer.
        owner.onMessage(args[0] as Buffer, args[1] as boolean);
        return true;
      case "ping":
        owner.onPing(args[0] as Buffer);
        return true;
      case "pong":
        owner.onPong();
        return true;
      case "error":
        owner.onSocketError(args[0] as Error);
        return true;
      case "close":
        owner.onClosed(args[0] as number);
        return true;
      default:
        return super.emit(event, ...args);
    }
  }
}
