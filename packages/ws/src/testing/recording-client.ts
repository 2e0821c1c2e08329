import type { ChannelRef } from "@pm/core";
import type { Encoding, HistoryPage, Published, ServerMessage, Subscribed, Welcome } from "@pm/proto";
import type { Duplex } from "node:stream";
import type { StreamPosition } from "../log/stream-position.ts";
import { DisconnectedError } from "./client-error.ts";
import { ClientRecord, type ClientRecordOptions, type SubscribeFrom } from "./client-record.ts";
import { Conditions } from "./conditions.ts";
import { payloadWithId, type PayloadShape } from "./payload-id.ts";
import { type ProtocolRequest, ProtocolSocket } from "./protocol-socket.ts";
import { historyBody, publishBody, subscribeBody } from "./request-body.ts";

/** Who a RecordingClient is, where it connects to, and who hears of what it does. */
export interface RecordingClientOptions extends ClientRecordOptions {
  /** Like `ws://127.0.0.1:3000/ws`. */
  readonly url: string;
  readonly token: string;
  /** @default "proto" */
  readonly encoding?: Encoding | undefined;
  /**
   * Milliseconds after which a Subscribe is repeated that was refused and has to be.
   * @default 100
   */
  readonly retryDelayMs?: number | undefined;
  /** Makes its connections. @default TCP connections to `url` */
  readonly createConnection?: (() => Duplex) | undefined;
}

/** What to publish beside the id of the payload. */
export interface PublishDetails extends Partial<PayloadShape> {
  readonly event?: string | undefined;
  readonly idempotencyKey?: string | undefined;
}

/** Which part of a history to read. */
export interface HistoryRequest {
  readonly since?: StreamPosition | undefined;
  readonly limit?: number | undefined;
  readonly backward?: boolean | undefined;
}

/**
 * A client of pm.v1 over a real socket that keeps a record of all it does and sees, recovers as an SDK does, and can be
 * slow, cut off and brought back.
 */
export class RecordingClient {
  readonly name: string;
  /** Of the connection that is open. */
  welcome: Welcome | undefined;
  /** Errors that answer nothing, GoAway, and what is not known. */
  readonly pushes: ServerMessage[] = [];
  /** The code of the last close; undefined before there was one. */
  closeCode: number | undefined;
  readonly #options: RecordingClientOptions;
  readonly #record: ClientRecord;
  readonly #conditions = new Conditions();
  #socket: ProtocolSocket | undefined;
  #reconnectDelayMs: (() => number) | undefined;

  constructor(options: RecordingClientOptions) {
    this.#options = options;
    this.name = options.name;
    this.#record = new ClientRecord(options, (channel) => this.#subscribeAgain(channel));
  }

  get isConnected(): boolean {
    return this.welcome !== undefined;
  }

  /**
   * Opens a connection; resolves at its Welcome.
   * @throws DisconnectedError when it is refused, or ends before
   */
  async connect(): Promise<void> {
    if (this.#socket !== undefined) throw new TypeError(`${this.name} has a connection`);
    const { url, token, encoding = "proto", createConnection } = this.#options;
    const socket = new ProtocolSocket({
      url,
      token,
      encoding,
      createConnection,
      onPush: (message) => this.#socket === socket && this.#onPush(message),
      onClosed: (code) => this.#onClosed(socket, code),
    });
    this.#socket = socket;
    await socket.opened();
    await this.until(() => this.welcome !== undefined || this.#socket !== socket);
    if (this.#socket !== socket) throw new DisconnectedError(this.closeCode ?? 1006, "ended before its Welcome");
  }

  /**
   * Opens another connection and subscribes to every channel of the one before from where it was. Where one of them
   * cannot be had back, the connection ends.
   * @throws DisconnectedError when it is refused, or ends before; RefusedError for a channel
   */
  async reconnect(): Promise<void> {
    const connected = this.connect();
    const returning = [...this.#record.positions()];
    for (const [channel] of returning) this.#record.cursor(channel).ask();
    const subscribed = returning.map(([channel, since]) =>
      this.#orGiveUp(
        channel,
        connected.then(() => this.#answer(this.#subscribeRequest(channel, { since }))),
      ),
    );
    const [outcome, ...outcomes] = await Promise.allSettled([connected, ...subscribed]);
    const failure = [outcome, ...outcomes].find(({ status }) => status === "rejected");
    if (failure?.status !== "rejected") return;
    if (outcome.status === "fulfilled") await this.cut();
    throw failure.reason;
  }

  /** From now on, reconnects by itself after every end that was not asked for. */
  stayConnected(delayMs: () => number): void {
    this.#reconnectDelayMs = delayMs;
  }

  /** @throws RefusedError, DisconnectedError */
  async subscribe(channel: string, from: SubscribeFrom = {}): Promise<Subscribed> {
    this.#record.cursor(channel).ask();
    const { body } = await this.#orGiveUp(channel, this.#answer(this.#subscribeRequest(channel, from)));
    if (body.case !== "subscribed") throw new TypeError(`Subscribe was answered with ${body.case}`);
    return body.value;
  }

  /** @throws RefusedError, DisconnectedError */
  async unsubscribe(channel: string): Promise<void> {
    const onReply = (): void => this.#record.unsubscribed(channel);
    await this.#answer({ body: { case: "unsubscribe", value: { channel } }, onReply });
  }

  /**
   * Publishes a payload with this id.
   * @throws RefusedError; DisconnectedError, and then nobody knows whether it was published
   */
  async publish(channel: string, payloadId: string, details: PublishDetails = {}): Promise<Published> {
    const { kind = "json", bytes, event = "", idempotencyKey = "" } = details;
    this.#record.publishing(channel, payloadId);
    const { body } = await this.#answer({
      body: publishBody({ channel, event, idempotencyKey, payload: payloadWithId(payloadId, { kind, bytes }) }),
      onReply: (reply) => {
        if (reply.body.case === "published") this.#record.published(channel, payloadId, reply.body.value);
      },
    });
    if (body.case !== "published") throw new TypeError(`Publish was answered with ${body.case}`);
    return body.value;
  }

  /** @throws RefusedError, DisconnectedError */
  async readHistory(channel: string, request: HistoryRequest = {}): Promise<HistoryPage> {
    const { body } = await this.#answer({ body: historyBody(channel, request) });
    if (body.case !== "historyPage") throw new TypeError(`ReadHistory was answered with ${body.case}`);
    return body.value;
  }

  /**
   * Sends requests as they are, in one frame; resolves with the answers.
   * @throws RefusedError, DisconnectedError
   */
  async send(...requests: readonly ProtocolRequest[]): Promise<ServerMessage[]> {
    return Promise.all(this.#request(...requests));
  }

  /** Reads nothing more from its socket. */
  stall(): void {
    this.#socket?.stall();
  }

  resume(): void {
    this.#socket?.resume();
  }

  /** Cuts the connection off; resolves when it has ended. */
  async cut(): Promise<void> {
    await this.#end((socket) => socket.cut());
  }

  /** Ends the connection in order, and stays away. */
  async close(): Promise<void> {
    this.#reconnectDelayMs = undefined;
    await this.#end((socket) => socket.close());
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#reconnectDelayMs = undefined;
    await this.cut();
  }

  /** Where it is in a channel, by the rule of an SDK. */
  cursor(channel: string): StreamPosition | undefined {
    return this.#record.cursor(channel).position;
  }

  /** The log that a channel name stands for. */
  logOf(channel: string): ChannelRef {
    return this.#record.logOf(channel);
  }

  /** Resolves as soon as the condition holds; it is looked at after everything that comes. */
  async until(condition: () => boolean): Promise<void> {
    await this.#conditions.until(condition);
  }

  /** Resolves when it has accepted everything up to this offset. */
  async reaches(channel: string, offset: number): Promise<void> {
    await this.until(() => (this.cursor(channel)?.offset ?? -1) >= offset);
  }

  #subscribeRequest(channel: string, from: SubscribeFrom): ProtocolRequest {
    return {
      body: subscribeBody(channel, from),
      onReply: ({ body }) => {
        if (body.case === "subscribed") this.#record.subscribed(body.value, from);
      },
    };
  }

  async #orGiveUp(channel: string, answer: Promise<ServerMessage>): Promise<ServerMessage> {
    try {
      return await answer;
    } catch (error) {
      const isIncomplete = this.#record.cursor(channel).giveUp();
      if (isIncomplete) setTimeout(() => this.#subscribeAgain(channel), this.#options.retryDelayMs ?? 100);
      throw error;
    }
  }

  #subscribeAgain(channel: string): void {
    const since = this.cursor(channel);
    // Where the connection has ended, reconnecting does the same.
    if (this.isConnected && since !== undefined) this.subscribe(channel, { since }).catch(() => undefined);
  }

  #onPush(message: ServerMessage): void {
    const { body } = message;
    if (body.case === "publication") this.#record.publication(body.value);
    else if (body.case === "lagged") this.#record.lagged(body.value);
    else if (body.case === "subscribed") this.#record.pushedSubscribed(body.value);
    else if (body.case === "unsubscribed") this.#record.unsubscribed(body.value.channel);
    else if (body.case === "welcome") this.#onWelcome(body.value);
    else this.pushes.push(message);
    this.#conditions.look();
  }

  #onWelcome(welcome: Welcome): void {
    this.welcome = welcome;
    this.#record.connected();
  }

  #onClosed(socket: ProtocolSocket, code: number): void {
    if (this.#socket !== socket) return;
    this.#socket = undefined;
    this.closeCode = code;
    if (this.welcome !== undefined) this.#record.disconnected(code);
    this.welcome = undefined;
    this.#conditions.look();
    this.#reconnectLater();
  }

  #reconnectLater(): void {
    const delayMs = this.#reconnectDelayMs;
    if (delayMs === undefined) return;
    setTimeout(() => {
      if (this.#reconnectDelayMs === undefined || this.#socket !== undefined) return;
      // A failure ends in a close, and that begins the next attempt.
      this.reconnect().catch(() => undefined);
    }, delayMs());
  }

  async #end(how: (socket: ProtocolSocket) => void): Promise<void> {
    const socket = this.#socket;
    if (socket === undefined) return;
    socket.resume();
    how(socket);
    await this.until(() => this.#socket !== socket);
  }

  #request(...requests: readonly ProtocolRequest[]): Promise<ServerMessage>[] {
    if (this.#socket === undefined || !this.isConnected) throw new DisconnectedError(1006, "not connected");
    return this.#socket.request(...requests);
  }

  async #answer(request: ProtocolRequest): Promise<ServerMessage> {
    const [reply] = this.#request(request);
    try {
      if (reply === undefined) throw new TypeError("a request has one answer");
      return await reply;
    } finally {
      this.#conditions.look();
    }
  }
}
