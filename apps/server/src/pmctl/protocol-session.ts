import type { IncomingMessage } from "node:http";
import { create, type MessageInitShape } from "@bufbuild/protobuf";
import {
  ClientMessageSchema,
  CloseCode,
  CodecError,
  decodeServerFrame,
  type Encoding,
  encodeClientFrame,
  type ServerMessage,
  SUBPROTOCOLS,
  type Welcome,
} from "@pm/proto";
import { WebSocket } from "ws";
import type { SessionEnd } from "./reconnect-plan.ts";
import { readRefusal } from "./refusal-reason.ts";

/** Where to connect, and as whom. */
export interface SessionTarget {
  readonly url: string;
  readonly token: string;
  readonly encoding: Encoding;
}

/** Who is told what happens in a session. */
export interface SessionHandlers {
  /** Called for every message after Welcome, and for Welcome itself. */
  message(message: ServerMessage): void;
  /** Called once, last. */
  ended(end: SessionEnd): void;
}

/** What is asked of the server. */
export type Command = NonNullable<MessageInitShape<typeof ClientMessageSchema>["body"]>;

const HANDSHAKE_TIMEOUT_MS = 10_000;
const CLOSE_TIMEOUT_MS = 1000;
/** What a sign of life may be late. */
const GRACE_MS = 5000;

/** One WebSocket connection that speaks pm.v1. */
export class ProtocolSession {
  readonly #socket: WebSocket;
  readonly #encoding: Encoding;
  readonly #handlers: SessionHandlers;
  #nextId = 1;
  #failure: SessionEnd | undefined;
  #hasEnded = false;
  #silenceMs = 0;
  #watch: NodeJS.Timeout | undefined;

  constructor({ url, token, encoding }: SessionTarget, handlers: SessionHandlers) {
    this.#encoding = encoding;
    this.#handlers = handlers;
    this.#socket = new WebSocket(url, SUBPROTOCOLS[encoding], {
      headers: { authorization: `Bearer ${token}` },
      handshakeTimeout: HANDSHAKE_TIMEOUT_MS,
      perMessageDeflate: false,
    });
    this.#socket.on("message", (data, isBinary) => this.#receive(data, isBinary));
    this.#socket.on("ping", () => this.#watch?.refresh());
    this.#socket.on("unexpected-response", (_request, response) => void this.#refused(response));
    this.#socket.on("error", (error) => this.#failed(error));
    this.#socket.on("close", (code, reason) => this.#ended({ kind: "closed", code, reason: String(reason) }));
  }

  /** Sends a command that is made for its id, which the reply names. */
  request(commandOf: (id: number) => Command): void {
    const id = this.#nextId++;
    this.#send(id, commandOf(id));
  }

  /** Sends a command that wants no reply. */
  tell(command: Command): void {
    this.#send(0, command);
  }

  /** Stops reading from the socket. Meanwhile no sign of life is expected. */
  pause(): void {
    clearTimeout(this.#watch);
    this.#socket.pause();
  }

  resume(): void {
    this.#socket.resume();
    this.#expectSignOfLife();
  }

  /** Asks to close, and does not wait for long. */
  close(): void {
    this.#socket.close(CloseCode.NORMAL);
    setTimeout(() => this.#socket.terminate(), CLOSE_TIMEOUT_MS).unref();
  }

  #send(id: number, body: Command): void {
    if (this.#socket.readyState !== WebSocket.OPEN) return;
    this.#socket.send(encodeClientFrame([create(ClientMessageSchema, { id, body })], this.#encoding));
  }

  #receive(data: WebSocket.RawData, isBinary: boolean): void {
    this.#watch?.refresh();
    try {
      const frame = isBinary ? (data as Buffer) : (data as Buffer).toString();
      for (const message of decodeServerFrame(frame, this.#encoding)) {
        if (message.body.case === "welcome") this.#welcomed(message.body.value);
        this.#handlers.message(message);
      }
    } catch (error) {
      if (!(error instanceof CodecError)) throw error;
      this.#failure = {
        kind: "closed",
        code: CloseCode.PROTOCOL_ERROR,
        reason: `a frame of the server is ${error.message}`,
      };
      this.#socket.terminate();
    }
  }

  #welcomed({ heartbeatIntervalMs, heartbeatTimeoutMs }: Welcome): void {
    if (heartbeatIntervalMs > 0) this.#silenceMs = heartbeatIntervalMs + heartbeatTimeoutMs + GRACE_MS;
    this.#expectSignOfLife();
  }

  #expectSignOfLife(): void {
    clearTimeout(this.#watch);
    if (this.#silenceMs === 0 || this.#hasEnded) return;
    this.#watch = setTimeout(() => {
      this.#failure = { kind: "closed", code: CloseCode.ABNORMAL, reason: "no sign of life from the server" };
      this.#socket.terminate();
    }, this.#silenceMs);
  }

  async #refused(response: IncomingMessage): Promise<void> {
    const end = await readRefusal(response);
    response.destroy();
    this.#ended(end);
  }

  #failed(error: Error): void {
    const { code } = error as NodeJS.ErrnoException;
    this.#failure ??= { kind: "unreachable", reason: code ?? error.message };
  }

  #ended(end: SessionEnd): void {
    if (this.#hasEnded) return;
    this.#hasEnded = true;
    clearTimeout(this.#watch);
    this.#handlers.ended(this.#failure ?? end);
  }
}
