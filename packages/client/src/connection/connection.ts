import { BEARER_SUBPROTOCOL_PREFIX, CloseCode, type Encoding, SUBPROTOCOLS } from "@pm/proto";
import { PmClientError } from "../pm-client-error.ts";
import type { CancelTimer, Clock } from "../platform/clock.ts";
import type { OpenSocket, Socket } from "../platform/socket.ts";
import type { Closure } from "../reconnect/reconnect-policy.ts";
import { decodeFrame, type Element, elementBytes, encodeElement, frameOverhead } from "../wire/frame-codec.ts";
import type { ClientBody, ErrorMessage, Limits, ServerBody, ServerMessage, Welcome } from "../wire/messages.ts";
import { FrameWriter } from "./frame-writer.ts";
import { LifeWatch } from "./life-watch.ts";
import { limitsOf, tooLarge } from "./limits.ts";
import { type OnReply, PendingReplies } from "./pending-replies.ts";
import { ServerHints } from "./server-hints.ts";

/** Messages that a server takes in one frame. */
const MAX_FRAME_MESSAGES = 256;
/** A frame that the server did not mean to send: the client ends the connection with a code of its own range. */
const CLOSE_UNREADABLE = 4000;
/** Where Welcome does not say more. */
const HEARTBEAT_INTERVAL_MS = 25_000;
const HEARTBEAT_TIMEOUT_MS = 10_000;

/** Where and how to connect. */
export interface ConnectionTarget {
  readonly url: string;
  readonly token: string;
  readonly encoding: Encoding;
  /** Milliseconds from the beginning to Welcome. */
  readonly connectTimeoutMs: number;
  /** Milliseconds that a command waits for its answer. */
  readonly replyTimeoutMs: number;
}

/** What a connection is made of. */
export interface ConnectionPorts {
  readonly clock: Clock;
  readonly openSocket: OpenSocket;
}

/** What a connection tells its owner. */
export interface ConnectionListener {
  onWelcome(connection: Connection, welcome: Welcome): void;
  /** Something that answers no command; GoAway too. */
  onPush(connection: Connection, body: ServerBody): void;
  /** A frame was taken whole. */
  onRead(connection: Connection): void;
  /** It ended by itself. Told once, and never after `close`. */
  onClosed(connection: Connection, closure: Closure): void;
  onError(error: PmClientError): void;
}

/** One WebSocket that speaks pm.v1: frames, replies, signs of life, and what the server said last. */
export class Connection {
  readonly #target: ConnectionTarget;
  readonly #clock: Clock;
  readonly #listener: ConnectionListener;
  readonly #replies: PendingReplies;
  readonly #writer: FrameWriter;
  readonly #hints: ServerHints;
  readonly #socket: Socket;
  readonly #cancelConnectTimer: CancelTimer;
  #life: LifeWatch | undefined;
  #welcome: Welcome | undefined;
  #limits: Limits = limitsOf(undefined);
  #welcomedMs = 0;
  #isEnded = false;

  constructor(target: ConnectionTarget, { clock, openSocket }: ConnectionPorts, listener: ConnectionListener) {
    this.#target = target;
    this.#clock = clock;
    this.#listener = listener;
    this.#replies = new PendingReplies(clock, target.replyTimeoutMs);
    this.#hints = new ServerHints(clock);
    const limits = { maxBytes: this.limits.maxFrameBytes, maxMessages: MAX_FRAME_MESSAGES };
    this.#writer = new FrameWriter(target.encoding, limits, (frame) => this.#write(frame));
    const { url, token, encoding, connectTimeoutMs } = target;
    this.#socket = openSocket(url, [SUBPROTOCOLS[encoding], BEARER_SUBPROTOCOL_PREFIX + token], {
      onOpen: () => this.#onOpen(),
      onMessage: (data) => this.#onMessage(data),
      onClose: (code, reason) => this.fail(code, reason),
    });
    const late = `no welcome within ${connectTimeoutMs} ms`;
    this.#cancelConnectTimer = clock.after(connectTimeoutMs, () => this.fail(CloseCode.ABNORMAL, late));
  }

  /** What the server said first. */
  get welcome(): Welcome | undefined {
    return this.#welcome;
  }

  get limits(): Limits {
    return this.#limits;
  }

  get isEnded(): boolean {
    return this.#isEnded;
  }

  /** The server of this connection goes away. */
  get isGoingAway(): boolean {
    return this.#hints.hasGoAway;
  }

  /** Milliseconds until the next connection may be opened. */
  get goAwayLeftMs(): number {
    return this.#hints.goAwayLeftMs ?? 0;
  }

  /** Milliseconds since Welcome; undefined when there was none. */
  get welcomedForMs(): number | undefined {
    return this.#welcome === undefined ? undefined : this.#clock.monotonic() - this.#welcomedMs;
  }

  /**
   * Sends a command with the others of this turn. Without `onReply` none is asked for. What is larger than the server
   * takes is not sent; it is refused after this turn, as the server would do it.
   */
  send(body: ClientBody, onReply?: OnReply): void {
    if (this.#isEnded) {
      onReply?.({ kind: "lost", code: CloseCode.ABNORMAL });
      return;
    }
    const id = onReply === undefined ? 0 : this.#replies.nextId;
    const element = encodeElement({ id, body }, this.#target.encoding);
    if (onReply !== undefined) this.#replies.add(onReply);
    const error = this.#sizeError(element);
    if (error === undefined) this.#writer.add(element);
    else queueMicrotask(() => this.#replies.settle(id, { kind: "refused", error }));
  }

  /** Asks for a sign of life now. */
  probe(): void {
    this.#life?.probe();
  }

  /** Ends it without telling the listener; commands that wait are lost. */
  close(): void {
    this.#end(CloseCode.NORMAL, "");
  }

  /** Ends it as if it had been closed with this code. */
  fail(code: number, reason: string): void {
    if (this.#isEnded) return;
    const closure = this.#closureOf(code, reason);
    this.#end(code, reason);
    this.#listener.onClosed(this, closure);
  }

  #onOpen(): void {
    const wanted = SUBPROTOCOLS[this.#target.encoding];
    const selected = this.#socket.protocol;
    if (selected === wanted) return;
    this.#listener.onError(PmClientError.unsupported(`the server speaks ${JSON.stringify(selected)}, not ${wanted}`));
    this.fail(CloseCode.PROTOCOL_ERROR, "wrong subprotocol");
  }

  #onMessage(data: ArrayBuffer | string): void {
    this.#life?.heard();
    for (const message of this.#decode(data)) {
      if (this.#isEnded) return;
      this.#take(message);
    }
    if (!this.#isEnded) this.#listener.onRead(this);
  }

  #decode(data: ArrayBuffer | string): readonly ServerMessage[] {
    try {
      return decodeFrame(data, this.#target.encoding);
    } catch (error) {
      this.#listener.onError(error as PmClientError);
      this.fail(CLOSE_UNREADABLE, "unreadable frame");
      return [];
    }
  }

  #take(message: ServerMessage): void {
    this.#hints.note(message);
    const { replyTo, body } = message;
    if (replyTo !== 0 && body?.kind === "error") this.#replies.settle(replyTo, { kind: "refused", error: body.value });
    else if (replyTo !== 0) this.#replies.settle(replyTo, { kind: "answer", body });
    else if (body?.kind === "welcome") this.#onWelcome(body.value);
    else if (body !== undefined) this.#listener.onPush(this, body);
  }

  #onWelcome(welcome: Welcome): void {
    if (this.#welcome !== undefined) return;
    this.#welcome = welcome;
    this.#limits = limitsOf(welcome.limits);
    this.#welcomedMs = this.#clock.monotonic();
    this.#cancelConnectTimer();
    this.#writer.limits = { maxBytes: this.limits.maxFrameBytes, maxMessages: MAX_FRAME_MESSAGES };
    this.#life = this.#watchLife(welcome);
    this.#listener.onWelcome(this, welcome);
  }

  #watchLife({ heartbeatIntervalMs, heartbeatTimeoutMs }: Welcome): LifeWatch {
    const times = {
      intervalMs: heartbeatIntervalMs || HEARTBEAT_INTERVAL_MS,
      timeoutMs: heartbeatTimeoutMs || HEARTBEAT_TIMEOUT_MS,
    };
    return new LifeWatch(this.#clock, times, {
      ask: () => this.send({ kind: "ping", value: {} }, () => undefined),
      onDead: () => this.fail(CloseCode.ABNORMAL, "no sign of life"),
    });
  }

  #closureOf(code: number, reason: string): Closure {
    return {
      code,
      reason,
      welcomedForMs: this.welcomedForMs,
      lastError: this.#hints.lastError,
      errorHintMs: this.#hints.errorLeftMs,
      goAwayHintMs: this.#hints.goAwayLeftMs,
    };
  }

  #end(code: number, reason: string): void {
    if (this.#isEnded) return;
    this.#isEnded = true;
    this.#cancelConnectTimer();
    this.#life?.close();
    this.#socket.close(code >= 4000 ? code : CloseCode.NORMAL, code >= 4000 ? reason : "");
    this.#replies.lose(code);
  }

  #write(frame: Element): void {
    if (!this.#isEnded) this.#socket.send(frame);
  }

  #sizeError(element: Element): ErrorMessage | undefined {
    const { maxMessageBytes, maxFrameBytes } = this.limits;
    const bytes = elementBytes(element) + frameOverhead(this.#target.encoding);
    const max = Math.min(maxMessageBytes, maxFrameBytes);
    return bytes > max ? tooLarge(bytes, max) : undefined;
  }
}
