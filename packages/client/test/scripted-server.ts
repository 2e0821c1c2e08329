import { ManualClock } from "@pm/core/testing";
import {
  type ClientMessage,
  decodeClientFrame,
  encodeServerElement,
  RecoveryMiss,
  type ServerMessageInit,
} from "@pm/proto";
import {
  type Channel,
  PmClient,
  type PmClientOptions,
  type Randomness,
  type Socket,
  type SocketListener,
} from "../src/index.ts";

type Position = ReturnType<typeof at>;

/** What a test says of a Welcome that is not as usual. */
export interface WelcomeScript {
  readonly connectionId?: string;
  readonly tenantId?: string;
  readonly userId?: string;
  readonly tokenExpiresAtMs?: bigint;
  readonly maxMessageBytes?: number;
  readonly heartbeatIntervalMs?: number;
}

/** What a test says of a Subscribed that is not as usual. */
export interface SubscribedScript {
  readonly position?: Position;
  readonly top?: Position;
  readonly recovered?: boolean;
  readonly miss?: RecoveryMiss;
  readonly missedCount?: bigint;
}

/** The body of a message of a client, and the id that its answer names. */
export interface Asked<Case extends NonNullable<ClientMessage["body"]["case"]>> {
  readonly id: number;
  readonly value: Extract<ClientMessage["body"], { case: Case }>["value"];
}

/** A position of the epoch `e1`, with a tag that follows from its offset. */
export function at(offset: number, epoch = "e1"): { epoch: string; offset: bigint; check: number } {
  return { epoch, offset: BigInt(offset), check: tagOf(offset) };
}

export function tagOf(offset: number): number {
  return 1000 + offset;
}

/** The other end of one socket, played by a test. Speaks binary. */
export class ScriptedSocket implements Socket {
  readonly url: string;
  readonly protocols: readonly string[];
  readonly received: ClientMessage[] = [];
  readonly frames: number[] = [];
  protocol = "";
  closedWith: number | undefined;
  readonly #listener: SocketListener;

  constructor(url: string, protocols: readonly string[], listener: SocketListener) {
    this.url = url;
    this.protocols = protocols;
    this.#listener = listener;
  }

  get token(): string {
    return this.protocols.find((entry) => entry.startsWith("pm.v1.bearer."))?.slice("pm.v1.bearer.".length) ?? "";
  }

  send(data: Uint8Array<ArrayBuffer> | string): void {
    const messages = decodeClientFrame(data, "proto");
    this.frames.push(messages.length);
    this.received.push(...messages);
  }

  close(code: number): void {
    this.closedWith = code;
  }

  open(protocol = "pm.v1.proto"): void {
    this.protocol = protocol;
    this.#listener.onOpen();
  }

  /** Says several messages in one frame. */
  say(...messages: readonly ServerMessageInit[]): void {
    if (this.closedWith !== undefined) return;
    const elements = messages.map((message) => encodeServerElement(message, "proto"));
    this.#listener.onMessage(Uint8Array.from(Buffer.concat(elements)).buffer);
  }

  sayRaw(data: ArrayBuffer | string): void {
    this.#listener.onMessage(data);
  }

  /** Opens and welcomes, with an hour until the token expires. */
  welcome({ maxMessageBytes = 65_536, ...more }: WelcomeScript = {}): void {
    this.open();
    const limits = {
      maxMessageBytes,
      maxFrameBytes: 65_536,
      maxSubscriptions: 128,
      maxHistory: 1000,
      idempotencyWindowMs: 300_000,
    };
    const value = {
      connectionId: `c-${Math.random()}`,
      nodeId: "n",
      tenantId: "acme",
      userId: "u-1",
      heartbeatIntervalMs: 25_000,
      heartbeatTimeoutMs: 10_000,
      tokenExpiresAtMs: 3_600_000n,
      serverTimeMs: 0n,
      limits,
      ...more,
    };
    this.say({ body: { case: "welcome", value } });
  }

  /** Ends the connection as the network or the server does. */
  drop(code = 1006, reason = ""): void {
    if (this.closedWith === undefined) this.#listener.onClose(code, reason);
  }

  /** The commands of one kind, in the order in which they came. */
  asked<Case extends NonNullable<ClientMessage["body"]["case"]>>(kind: Case): Asked<Case>[] {
    return this.received.flatMap(({ id, body }) =>
      body.case === kind ? [{ id, value: body.value as Asked<Case>["value"] }] : [],
    );
  }

  /** Answers the last Subscribe of a channel: without more, at offset 0 or recovered at its `since`. */
  subscribed(channel: string, more: SubscribedScript = {}): void {
    const question = this.asked("subscribe").findLast(({ value }) => value.channel === channel);
    if (question === undefined) throw new Error(`nobody has asked for ${channel}`);
    const { since } = question.value;
    const position = since === undefined ? at(0) : { epoch: since.epoch, offset: since.offset, check: since.check };
    const value = { channel, position, top: position, recovered: since !== undefined, ...more };
    this.say({ replyTo: question.id, body: { case: "subscribed", value } });
  }

  publication(channel: string, offset: number, check = tagOf(offset)): void {
    this.say(publicationOf(channel, offset, check));
  }

  /** Answers all Publish that were not answered yet, from this offset on. */
  publishedFrom(offset: number, epoch = "e1"): void {
    for (const [index, { id }] of this.asked("publish").entries()) {
      this.say({
        replyTo: id,
        body: { case: "published", value: { position: at(offset + index, epoch), messageId: `m-${offset + index}` } },
      });
    }
  }

  error(replyTo: number, code: string, more: { retryable?: boolean; retryAfterMs?: number } = {}): void {
    this.say({ replyTo, body: { case: "error", value: { code, message: code, errorId: "e-1", ...more } } });
  }

  goAway(reconnectAfterMs: number): void {
    this.say({ body: { case: "goAway", value: { reconnectAfterMs } } });
  }
}

export function publicationOf(channel: string, offset: number, check = tagOf(offset)): ServerMessageInit {
  const payload = { kind: { case: "json" as const, value: String(offset) } };
  const value = { channel, offset: BigInt(offset), check, payload, messageId: `m-${offset}` };
  return { body: { case: "publication", value } };
}

export function laggedOf(channel: string, position: ReturnType<typeof at>, missedCount = 0): ServerMessageInit {
  const value = { channel, position, missedCount: BigInt(missedCount), reason: RecoveryMiss.RETENTION };
  return { body: { case: "lagged", value } };
}

/** A client of which a test owns the time, the chance and the other end of every socket. */
export class ScriptedServer {
  readonly clock = new ManualClock();
  readonly sockets: ScriptedSocket[] = [];
  readonly client: PmClient;
  /** What every random fraction is. */
  fraction = 0.5;
  tokens = 0;

  constructor(options: Partial<PmClientOptions> = {}) {
    let ids = 0;
    const random: Randomness = { fraction: () => this.fraction, id: () => `id-${++ids}` };
    this.client = new PmClient({
      url: "ws://server/ws",
      getToken: () => `token-${++this.tokens}`,
      clock: this.clock,
      random,
      networkEvents: () => () => undefined,
      openSocket: (url, protocols, listener) => {
        const socket = new ScriptedSocket(url, protocols, listener);
        this.sockets.push(socket);
        return socket;
      },
      ...options,
    });
  }

  /** The newest socket. */
  get socket(): ScriptedSocket {
    const socket = this.sockets.at(-1);
    if (socket === undefined) throw new Error("no socket was opened");
    return socket;
  }

  /** Begins to connect, and waits until the socket is there. */
  async dial(): Promise<ScriptedSocket> {
    void this.client.connect().catch(() => undefined);
    await this.after(0);
    return this.socket;
  }

  async connect(): Promise<ScriptedSocket> {
    const socket = await this.dial();
    socket.welcome();
    await turn();
    return socket;
  }

  /** The next connection after one that was lost: with the usual fraction the first wait is of 250 ms. */
  async reconnect(): Promise<ScriptedSocket> {
    await this.after(250);
    this.socket.welcome();
    await turn();
    return this.socket;
  }

  /** Connects with a channel that is subscribed. */
  async subscribe(channel: Channel): Promise<ScriptedSocket> {
    const subscribed = channel.subscribe();
    const socket = await this.connect();
    socket.subscribed(channel.name);
    await subscribed;
    return socket;
  }

  /** Lets time pass, and everything happen that follows from it. */
  async after(ms: number): Promise<void> {
    this.clock.advance(ms);
    await turn();
  }
}

/** Lets all promises run that can. */
export function turn(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
}
