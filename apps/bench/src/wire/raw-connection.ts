import { connect, type Socket } from "node:net";
import { clientFrame, Opcode } from "./client-frame.ts";
import { FrameScanner, type FrameSink } from "./frame-scanner.ts";
import { endOfHead, statusOf } from "./upgrade-request.ts";

/** Where a connection goes. */
export interface Endpoint {
  readonly host: string;
  readonly port: number;
  /** Source address, where the ports of one would run out. */
  readonly localAddress?: string | undefined;
  /** Where received bytes are put; many connections of one thread share it, since each is read at once. */
  readonly receiveBuffer: Buffer;
}

/** Who is told about a connection. */
export interface ConnectionHandler {
  /** The server has accepted the upgrade. */
  upgraded(connection: RawConnection): void;
  /** The body of a data frame is bytes[start, end), during the call. */
  data(bytes: Buffer, start: number, end: number): void;
  /** Once, at the end, whoever made it. */
  closed(reason: CloseReason): void;
}

/** Why a connection ended. */
export interface CloseReason {
  /** WebSocket close code, when a close frame came; HTTP status, when the upgrade was refused; else undefined. */
  readonly code: number | undefined;
  readonly text: string;
}

/** Longest head of an answer to an upgrade. */
const MAX_HEAD_BYTES = 16_384;

/**
 * A WebSocket client that does no more than a load generator needs: frames go out as they were made, bodies come in
 * without being copied, pings are answered. It checks neither the accept key nor UTF-8.
 */
export class RawConnection implements FrameSink {
  readonly #socket: Socket;
  readonly #handler: ConnectionHandler;
  readonly #scanner: FrameScanner;
  #head: Buffer | undefined = Buffer.alloc(0);
  #reason: CloseReason | undefined;

  /** @param request text of the upgrade request */
  constructor(endpoint: Endpoint, request: string, handler: ConnectionHandler) {
    this.#handler = handler;
    this.#scanner = new FrameScanner(this);
    this.#socket = open(endpoint, (length) => this.#receive(endpoint.receiveBuffer, length));
    this.#socket.setNoDelay(true);
    this.#socket.once("connect", () => this.#socket.write(request));
    this.#socket.on("error", (error) => {
      this.#reason ??= { code: undefined, text: error.message };
    });
    this.#socket.once("close", () => {
      handler.closed(this.#reason ?? { code: undefined, text: "the connection was cut" });
    });
  }

  /** Sends a frame as it is. */
  send(frame: Buffer): void {
    this.#socket.write(frame);
  }

  /** True while the socket holds more than its high-water mark. */
  get isFull(): boolean {
    return this.#socket.writableNeedDrain;
  }

  /** Stops reading. */
  pause(): void {
    this.#socket.pause();
  }

  /** Ends without a close frame. */
  destroy(): void {
    this.#socket.destroy();
  }

  data(bytes: Buffer, start: number, end: number): void {
    this.#handler.data(bytes, start, end);
  }

  control(opcode: number, body: Buffer): void {
    if (opcode === Opcode.ping) this.#socket.write(clientFrame(Opcode.pong, body));
    if (opcode !== Opcode.close) return;
    const code = body.length >= 2 ? body.readUInt16BE(0) : 1005;
    this.#fail({ code, text: `closed with ${code} ${body.toString("utf8", 2)}`.trimEnd() });
  }

  malformed(reason: string): void {
    this.#fail({ code: undefined, text: `not a frame of a server: ${reason}` });
  }

  #fail(reason: CloseReason): void {
    this.#reason ??= reason;
    this.#socket.destroy();
  }

  #receive(bytes: Buffer, length: number): void {
    if (this.#head === undefined) this.#scanner.push(bytes, 0, length);
    else this.#receiveHead(Buffer.concat([this.#head, bytes.subarray(0, length)]));
  }

  #receiveHead(received: Buffer): void {
    const end = endOfHead(received);
    if (end < 0 && received.length <= MAX_HEAD_BYTES) {
      this.#head = received;
      return;
    }
    const status = statusOf(received);
    if (end < 0 || status !== 101) {
      this.#fail({ code: status, text: `refused: ${firstAndLastLine(received)}` });
      return;
    }
    this.#head = undefined;
    this.#handler.upgraded(this);
    this.#scanner.push(received, end, received.length);
  }
}

function open(endpoint: Endpoint, receive: (length: number) => void): Socket {
  const { host, port, localAddress, receiveBuffer } = endpoint;
  const callback = (length: number): boolean => {
    receive(length);
    return true;
  };
  const onread = { buffer: receiveBuffer, callback };
  return connect({ host, port, onread, ...(localAddress === undefined ? {} : { localAddress }) });
}

/** The status line, and the body's last line, which says why. */
function firstAndLastLine(response: Buffer): string {
  const lines = response.toString("utf8").trimEnd().split("\r\n");
  return lines.length > 1 ? `${lines[0] ?? ""} ${lines.at(-1) ?? ""}` : (lines[0] ?? "");
}
