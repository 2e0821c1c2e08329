import { create, type MessageInitShape } from "@bufbuild/protobuf";
import {
  ClientMessageSchema,
  decodeServerFrame,
  encodeClientFrame,
  type Encoding,
  type ServerMessage,
  SUBPROTOCOLS,
} from "@pm/proto";
import type { Socket } from "node:net";
import type { Duplex } from "node:stream";
import { WebSocket } from "ws";
import { DisconnectedError, RefusedError } from "./client-error.ts";

/** What a client sends, without its id. */
export type RequestBody = NonNullable<MessageInitShape<typeof ClientMessageSchema>["body"]>;

/** A request, and what is done with its answer before anything behind it is looked at. */
export interface ProtocolRequest {
  readonly body: RequestBody;
  readonly onReply?: ((reply: ServerMessage) => void) | undefined;
}

/** Where a ProtocolSocket connects to, and whom it tells. */
export interface ProtocolSocketOptions {
  readonly url: string;
  readonly token: string;
  readonly encoding: Encoding;
  /** Makes the connection; what it makes takes the place of a net.Socket. @default a TCP connection to `url` */
  readonly createConnection?: (() => Duplex) | undefined;
  /** Every message that is not the answer to a request. */
  readonly onPush: (message: ServerMessage) => void;
  readonly onClosed: (code: number, reason: string) => void;
}

interface Pending {
  readonly request: ProtocolRequest;
  readonly resolve: (reply: ServerMessage) => void;
  readonly reject: (error: Error) => void;
}

/** One connection that speaks pm.v1 and does nothing by itself. */
export class ProtocolSocket {
  readonly #options: ProtocolSocketOptions;
  readonly #webSocket: WebSocket;
  readonly #pending = new Map<number, Pending>();
  #nextId = 0;

  constructor(options: ProtocolSocketOptions) {
    this.#options = options;
    this.#webSocket = new WebSocket(options.url, [SUBPROTOCOLS[options.encoding]], {
      headers: { authorization: `Bearer ${options.token}` },
      perMessageDeflate: false,
      maxPayload: 64 * 1024 * 1024,
      ...(options.createConnection && { createConnection: options.createConnection as () => Socket }),
    });
    this.#webSocket.on("message", (data, isBinary) => this.#onFrame(data as Buffer, isBinary));
    this.#webSocket.on("close", (code, reason) => this.#onClose(code, reason.toString()));
  }

  /** Resolves when the handshake is done. @throws DisconnectedError with the HTTP status of a refusal, or 1006 */
  opened(): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#webSocket.once("open", resolve);
      this.#webSocket.once("unexpected-response", (_request, response) => {
        reject(new DisconnectedError(response.statusCode ?? 0, "the handshake was refused"));
        this.#webSocket.terminate();
      });
      this.#webSocket.on("error", (error) => reject(new DisconnectedError(1006, error.message)));
    });
  }

  /**
   * Sends requests in one frame; each resolves with its answer.
   * @throws RefusedError for an Error; DisconnectedError when the connection ends before
   */
  request(...requests: readonly ProtocolRequest[]): Promise<ServerMessage>[] {
    const first = this.#nextId + 1;
    const replies = requests.map((request) => this.#expect(request));
    this.#send(requests.map(({ body }, index) => ({ id: first + index, body })));
    return replies;
  }

  /** Sends without an id, for which only failures are answered. */
  send(...bodies: readonly RequestBody[]): void {
    this.#send(bodies.map((body) => ({ id: 0, body })));
  }

  /** Reads nothing more until `resume`: the kernel's buffers fill, then the server's. */
  stall(): void {
    this.#webSocket.pause();
  }

  resume(): void {
    // ws throws where a handshake was refused and its close is still to come.
    if (this.#webSocket.readyState === WebSocket.OPEN) this.#webSocket.resume();
  }

  /** Ends the connection without a word. */
  cut(): void {
    this.#webSocket.terminate();
  }

  /** Ends the connection in order. */
  close(): void {
    this.#webSocket.close(1000);
  }

  #expect(request: ProtocolRequest): Promise<ServerMessage> {
    const id = ++this.#nextId;
    return new Promise((resolve, reject) => this.#pending.set(id, { request, resolve, reject }));
  }

  #send(messages: readonly MessageInitShape<typeof ClientMessageSchema>[]): void {
    const frame = encodeClientFrame(
      messages.map((message) => create(ClientMessageSchema, message)),
      this.#options.encoding,
    );
    // Where the connection is ending, its close event rejects what was asked for.
    if (this.#webSocket.readyState === WebSocket.OPEN) this.#webSocket.send(frame);
  }

  #onFrame(data: Buffer, isBinary: boolean): void {
    // Decoded bytes alias the frame: as a Buffer they would be Buffers too.
    const frame = isBinary ? new Uint8Array(data) : data.toString();
    for (const message of decodeServerFrame(frame, this.#options.encoding)) this.#onMessage(message);
  }

  #onMessage(message: ServerMessage): void {
    const pending = this.#pending.get(message.replyTo);
    if (pending === undefined) {
      this.#options.onPush(message);
      return;
    }
    this.#pending.delete(message.replyTo);
    if (message.body.case === "error") {
      pending.reject(new RefusedError(message.body.value));
      return;
    }
    pending.request.onReply?.(message);
    pending.resolve(message);
  }

  #onClose(code: number, reason: string): void {
    this.#options.onClosed(code, reason);
    for (const { reject } of this.#pending.values()) reject(new DisconnectedError(code, reason));
    this.#pending.clear();
  }
}
