import type { ChannelName, TenantContext } from "@pm/core";
import { CodedError, timeOfUuid } from "@pm/core";
import { CloseCode, type Encoding, SUBPROTOCOLS } from "@pm/proto";
import type { Socket } from "node:net";
import { CatchUp } from "../fanout/catch-up.ts";
import type { Reader, Subscription } from "../fanout/subscription.ts";
import type { Awaitable } from "../log/broker.ts";
import type { RateLimiter } from "../rate-limiter.ts";
import type { Drainable, ShutdownGuard } from "../shutdown/shutdown-coordinator.ts";
import { WsError } from "../ws-error.ts";
import type { ClientSocket, SocketOwner } from "./client-socket.ts";
import { ClientSubscriptions } from "./client-subscriptions.ts";
import type { ConnectionHost, ConnectionPorts } from "./connection-ports.ts";
import type { ConnectionWatch } from "./connection-watch.ts";
import type { ConnectionSlot, RegisteredConnection } from "./connection-registry.ts";
import { encodeReply, type ReplyBody } from "../wire/reply-encoder.ts";
import { Outbox, type OutboxOwner } from "./outbox.ts";
import { closeCodeOfRefusal } from "./refused-frame.ts";

/** What a connection is made of, after its handshake. */
export interface ConnectionStart {
  readonly webSocket: ClientSocket;
  /** Written to directly, since frames are made once for many. */
  readonly socket: Socket;
  readonly context: TenantContext;
  readonly slot: ConnectionSlot;
  /** The client's address, as trusted proxies tell it; undefined: that of the socket. */
  readonly address: string | undefined;
}

/** Why a connection ends. */
export interface CloseReason {
  readonly code: CloseCode;
  /** A word for the client and the metrics; at most 123 bytes. */
  readonly reason: string;
}

/** How a connection ended: for a reason of ours, or with the code that its client chose. */
export interface ConnectionEnd {
  readonly code: number;
  readonly reason: string;
  readonly byClient: boolean;
}

/** Protocol pings and pongs a second that one connection may send. */
const MAX_CONTROL_FRAMES = 10;

/** Messages of one connection between two turns, after which it waits for one. */
const MAX_A_TURN = 64;
/** Bytes that cost as much as one more message. */
const BYTES_A_MESSAGE = 2_048;
/** What it costs to take as many, in milliseconds: 4 µs each. */
const READ_COST_MS = 0.25;

/** Why a socket is not read for now. Bits, since several may hold at once. */
export const Pause = { IN_FLIGHT: 1, CONGESTED: 2, HISTORY: 4, DRAINING: 8, TURN: 16 } as const;

/** One accepted WebSocket: who it is, what it reads, the one way out to it, and how it ends. */
export class WebSocketConnection implements Reader, OutboxOwner, SocketOwner, RegisteredConnection, Drainable {
  readonly id: string;
  readonly webSocket: ClientSocket;
  readonly slot: ConnectionSlot;
  readonly outbox: Outbox;
  readonly subscriptions: ClientSubscriptions = new ClientSubscriptions();
  context: TenantContext;
  sessionId = "";
  /** The sweep's number of the last sign of life. */
  lastSeenTick: number;
  messagesIn = 0;
  bytesIn = 0;
  /** What a shutdown waits for. */
  guard: ShutdownGuard | undefined;
  /** What the sweep has noted; ticks are its seconds. */
  watch: ConnectionWatch | undefined;
  /** When the last ping went out, or would have gone out before it began. */
  pingTick: number;
  /** When the first ping after the last sign of life went out; 0: there is none. */
  unansweredSince = 0;
  /** Control frames in the sweep's current second. */
  controlFrames = 0;
  controlTick = 0;
  /** Frames in a row that had a rate violation. */
  violations = 0;
  /** Commands whose outcome is still to come. */
  inFlight = 0;
  /** The scheduler's number of the turn before which it sent something last. */
  #turn = 0;
  /** Messages since that turn, large ones as several. */
  #sinceTurn = 0;
  readonly #ports: ConnectionPorts;
  readonly #host: ConnectionHost<WebSocketConnection>;
  readonly #socket: Socket;
  readonly #address: string | undefined;
  #catchUp: CatchUp | undefined;
  #messageLimiter: RateLimiter | undefined;
  #subscribeLimiter: RateLimiter | undefined;
  #order: Map<ChannelName, Promise<unknown>> | undefined;
  #whenWritable: (() => void)[] | undefined;
  #whenIdle: (() => void)[] | undefined;
  #pauses = 0;
  #closing: ConnectionEnd | undefined;

  constructor(start: ConnectionStart, ports: ConnectionPorts, host: ConnectionHost<WebSocketConnection>) {
    this.#ports = ports;
    this.#host = host;
    this.#socket = start.socket;
    this.webSocket = start.webSocket;
    this.slot = start.slot;
    this.#address = start.address;
    this.context = start.context;
    this.lastSeenTick = ports.sweepTick();
    this.id = ports.randomness.uuid(ports.clock.now());
    // Spread over the interval, so that pings of connections that came together do not go out together.
    this.pingTick = this.lastSeenTick - (spreadOf(this.id) % ports.options.heartbeatIntervalSecs);
    this.outbox = new Outbox({
      encoding: start.webSocket.protocol === SUBPROTOCOLS.json ? "json" : "proto",
      socket: start.socket,
      limits: ports.outboxLimits,
      owner: this,
    });
  }

  get encoding(): Encoding {
    return this.outbox.encoding;
  }

  /** Milliseconds since the epoch. */
  get connectedAtMs(): number {
    return timeOfUuid(this.id);
  }

  /** Undefined while the connection is open. */
  get closing(): ConnectionEnd | undefined {
    return this.#closing;
  }

  /** Subscriptions that are not live. */
  get catchingUp(): number {
    return this.#catchUp?.size ?? 0;
  }

  /** The client's address. */
  get address(): string {
    return this.#address ?? this.#socket.remoteAddress ?? "";
  }

  /** Milliseconds since the last sign of life, to the second. */
  get idleMs(): number {
    return (this.#ports.sweepTick() - this.lastSeenTick) * 1000;
  }

  /** Bytes that the socket has given to the kernel. */
  get takenBytes(): number {
    return this.#socket.bytesWritten - this.#socket.writableLength;
  }

  get catchUp(): CatchUp {
    this.#catchUp ??= new CatchUp(this, this.context.tenant, this.#ports);
    return this.#catchUp;
  }

  get messageLimiter(): RateLimiter | undefined {
    this.#messageLimiter ??= this.#ports.messageLimiters?.create();
    return this.#messageLimiter;
  }

  get subscribeLimiter(): RateLimiter | undefined {
    this.#subscribeLimiter ??= this.#ports.subscribeLimiters?.create();
    return this.#subscribeLimiter;
  }

  /** Lets go of limiters to which nothing is owed. */
  forgetFullLimiters(): void {
    if (this.#messageLimiter?.isFull?.() === true) this.#messageLimiter = undefined;
    if (this.#subscribeLimiter?.isFull?.() === true) this.#subscribeLimiter = undefined;
  }

  /** Queues a reply (`replyTo` > 0) or a push. */
  send(body: ReplyBody, replyTo = 0): void {
    const isQueued = this.outbox.reply(encodeReply(replyTo, body, this.encoding));
    if (isQueued) this.#ports.metrics.sent(body.case);
  }

  /** Tells the client of a failure; the log line with the same id tells the rest. */
  sendError(error: unknown, replyTo = 0): void {
    const coded = error instanceof CodedError ? error : WsError.internal("a command", error);
    const told = this.#ports.reportError(coded, this);
    this.send({ case: "error", value: { ...told } }, replyTo);
  }

  /** Ends the connection since a part of the server has thrown: it alone suffers from that. */
  fail(error: unknown): void {
    this.sendError(error);
    this.close({ code: CloseCode.INTERNAL_ERROR, reason: "a failure of the server" });
  }

  /** Runs commands on one channel in the order in which they were sent, where one has to be waited for. */
  inOrder<T>(channel: ChannelName, run: () => Awaitable<T>): Awaitable<T> {
    const before = this.#order?.get(channel);
    return before === undefined ? run() : before.then(run, run);
  }

  /** As `inOrder`, and what comes after it on this channel waits for it. */
  barrier<T>(channel: ChannelName, run: () => Promise<T>): Promise<T> {
    const done = Promise.resolve(this.inOrder(channel, run));
    this.#order ??= new Map();
    this.#order.set(channel, done);
    const clear = (): void => {
      if (this.#order?.get(channel) !== done) return;
      this.#order.delete(channel);
      if (this.#order.size === 0) this.#order = undefined;
    };
    done.then(clear, clear);
    return done;
  }

  /** Resolves when the socket is below its mark, or the connection ends. */
  async whenWritable(): Promise<void> {
    while (this.outbox.isBehind && this.#closing === undefined) {
      await new Promise<void>((resolve) => {
        (this.#whenWritable ??= []).push(resolve);
      });
    }
  }

  /** Resolves when every command that was read has its outcome. */
  async whenIdle(): Promise<void> {
    while (this.inFlight > 0) {
      await new Promise<void>((resolve) => {
        (this.#whenIdle ??= []).push(resolve);
      });
    }
  }

  /** A command has its outcome. */
  settled(): void {
    this.inFlight--;
    if (this.inFlight > 0 || this.#whenIdle === undefined) return;
    const waiting = this.#whenIdle;
    this.#whenIdle = undefined;
    for (const resolve of waiting) resolve();
  }

  /** Stops reading the socket for a reason; it is read again when no reason is left. False: it was there already. */
  pause(reason: number): boolean {
    if ((this.#pauses & reason) !== 0 || this.#closing !== undefined) return false;
    if (this.#pauses === 0) this.webSocket.pause();
    this.#pauses |= reason;
    return true;
  }

  /**
   * Counts what was read, so that no client holds up the others: who has sent much since the last turn of deliveries is
   * read on when its tenant has a turn.
   */
  countRead(messages: number, bytes: number): void {
    const { scheduler } = this.#ports;
    scheduler.notice(this.context.tenant);
    if (this.#turn !== scheduler.turn) this.#sinceTurn = 0;
    this.#turn = scheduler.turn;
    this.#sinceTurn += messages + Math.floor(bytes / BYTES_A_MESSAGE);
    if (this.#sinceTurn < MAX_A_TURN || !this.pause(Pause.TURN)) return;
    void scheduler.turnOf(this.context.tenant, READ_COST_MS).then(() => this.resume(Pause.TURN));
  }

  /** True while its socket is not read. */
  get isPaused(): boolean {
    return this.#pauses !== 0;
  }

  resume(reason: number): void {
    if ((this.#pauses & reason) === 0) return;
    this.#pauses &= ~reason;
    if (this.#pauses === 0) this.webSocket.resume();
  }

  onDirty(outbox: Outbox): void {
    this.#ports.scheduler.markDirty(outbox);
  }

  onReplyOverflow(): void {
    this.close({ code: CloseCode.SLOW_CLIENT, reason: "replies are not taken" });
  }

  onTooSlow(): void {
    this.close({ code: CloseCode.SLOW_CLIENT, reason: "fell behind a channel" });
  }

  /** The socket has taken all it held. */
  onDrain(): void {
    this.outbox.drained();
    this.#catchUp?.wake();
    this.#letWaitersGo();
  }

  /** Begins one subscription. */
  subscribe(subscription: Subscription): void {
    this.subscriptions.add(subscription);
    this.#expectRuns();
  }

  /** Ends one subscription. */
  unsubscribe(name: ChannelName): Subscription | undefined {
    const subscription = this.subscriptions.delete(name);
    this.#expectRuns();
    subscription?.channel.end(subscription);
    return subscription;
  }

  /** Ends the connection: what is queued goes out, then the close frame; a peer that does not answer is cut off. */
  close(reason: CloseReason): void {
    if (this.#closing !== undefined) return;
    this.#closing = { ...reason, byClient: false };
    this.#catchUp?.close();
    for (const subscription of this.subscriptions) subscription.channel.end(subscription);
    this.outbox.close();
    // Read again, so that the peer's close frame is seen; messages are ignored from here on.
    if (this.#pauses > 0) this.webSocket.resume();
    this.#pauses = 0;
    this.webSocket.close(reason.code, reason.reason);
    this.#letWaitersGo();
  }

  /** Ends the connection now, without a word. */
  terminate(): void {
    this.#closing ??= { code: CloseCode.ABNORMAL, reason: "cut off", byClient: false };
    this.webSocket.terminate();
  }

  /** The socket has closed: lets go of everything. */
  onClosed(code: number): void {
    this.#closing ??= {
      code: code === 1005 ? CloseCode.NORMAL : code,
      reason: code === CloseCode.ABNORMAL ? "connection lost" : "closed by the client",
      byClient: true,
    };
    this.#catchUp?.close();
    for (const subscription of this.subscriptions) subscription.channel.end(subscription);
    this.outbox.close();
    this.slot.release();
    this.#letWaitersGo();
    this.#host.onEnded(this);
  }

  /** Tells who the client is, so that this connection can take the place of its older one. */
  nameSession(sessionId: string): void {
    if (this.sessionId !== "") return;
    this.sessionId = sessionId;
    this.#host.onSession(this);
  }

  onMessage(data: Buffer, isBinary: boolean): void {
    this.lastSeenTick = this.#ports.sweepTick();
    this.#host.onFrame(this, data, isBinary);
  }

  onPing(data: Buffer): void {
    if (this.#countControlFrame()) this.webSocket.pong(data);
  }

  onPong(): void {
    this.#countControlFrame();
  }

  /** ws refuses a frame and closes: what it sends is counted, since its close event says 1006. */
  onSocketError(error: Error & { readonly code?: string }): void {
    const code = closeCodeOfRefusal(error.code);
    if (code !== undefined) this.#closing ??= { code, reason: "bad frame", byClient: false };
    this.#ports.logger.info("connection_error", { ...this.#logFields(), code: error.code, error });
  }

  goAway(reconnectAfterMs: number): void {
    this.send({ case: "goAway", value: { reconnectAfterMs, reason: "the server is draining" } });
  }

  /** Reads nothing more, finishes what was read, then closes. */
  drain(): void {
    this.pause(Pause.DRAINING);
    void this.whenIdle().then(() => this.close({ code: CloseCode.DRAINING, reason: "draining" }));
  }

  /** False when there are too many, and the connection ends. */
  #countControlFrame(): boolean {
    const tick = this.#ports.sweepTick();
    this.lastSeenTick = tick;
    if (this.controlTick !== tick) this.controlFrames = 0;
    this.controlTick = tick;
    if (++this.controlFrames <= MAX_CONTROL_FRAMES) return this.#closing === undefined;
    this.close({ code: CloseCode.POLICY, reason: "too many control frames" });
    return false;
  }

  #logFields(): { connection_id: string; tenant_id: string; user_id: string } {
    return { connection_id: this.id, tenant_id: this.context.tenant, user_id: this.context.user };
  }

  /** With one channel, beside the tenant-wide one, a turn hardly brings more than one run. */
  #expectRuns(): void {
    this.outbox.writesAtOnce = this.subscriptions.size <= 1;
  }

  #letWaitersGo(): void {
    const waiting = this.#whenWritable;
    this.#whenWritable = undefined;
    for (const resolve of waiting ?? []) resolve();
  }
}

function spreadOf(id: string): number {
  return Number.parseInt(id.slice(-4), 16);
}
