import { type CancelTimer, CodedError, type TenantContext } from "@pm/core";
import { CloseCode, encodeServerElement, encodingOf, SUBPROTOCOLS, toClientError } from "@pm/proto";
import type { IncomingMessage } from "node:http";
import type { Socket } from "node:net";
import type { Duplex } from "node:stream";
import { WebSocketServer } from "ws";
import type { TenantGate } from "../authenticator.ts";
import { checkedContext } from "../checked-context.ts";
import { ClientSocket } from "../connection/client-socket.ts";
import type { ConnectionPorts } from "../connection/connection-ports.ts";
import type { ConnectionRegistry, ConnectionSlot } from "../connection/connection-registry.ts";
import { SharedReadBuffer } from "../connection/shared-read-buffer.ts";
import type { ConnectionStart, WebSocketConnection } from "../connection/websocket-connection.ts";
import { frameElements, whole } from "../wire/websocket-frame.ts";
import { WsError } from "../ws-error.ts";
import { type Refusal, refuse } from "./handshake-refusal.ts";
import { type HandshakeRequest, readHandshake } from "./handshake-request.ts";

/** What the handler needs beside what connections share. */
export interface UpgradePorts extends ConnectionPorts {
  readonly registry: ConnectionRegistry<WebSocketConnection>;
  readonly tenantGate: TenantGate | undefined;
  /** The client's address, as the trusted proxies tell it. */
  readonly addressOf: ((request: IncomingMessage) => string) | undefined;
  readonly isDraining: () => boolean;
  /** The handshake is done: a connection begins. */
  readonly onAccepted: (accepted: ConnectionStart) => void;
}

/** Frames are cut by clients into at most this many fragments. */
const MAX_FRAGMENTS = 64;
/**
 * Known to ws, not yet to its types: how long a peer may take to answer a close frame, in milliseconds, and how many
 * parts a frame may come in that is not whole, since each part is an object.
 */
const OTHER_LIMITS = { closeTimeout: 2_000, maxBufferedChunks: 1_024 };

/** How often handshakes are looked at for their time limit, in milliseconds. */
const LOOK_EVERY_MS = 250;

/** A handshake that is under way. */
interface Handshake {
  readonly request: IncomingMessage;
  readonly socket: Duplex;
  readonly head: Buffer;
  readonly startedMs: number;
  /** Hears that the peer has gone. */
  readonly onGone: () => void;
  /** Who it is; undefined until the token is verified. */
  context: TenantContext | undefined;
  /** The place in the limits, until a connection has it. */
  slot: ConnectionSlot | undefined;
  isOver: boolean;
}

/** From an upgrade request to a connection, or to a refusal that says why. */
export class UpgradeHandler {
  readonly #ports: UpgradePorts;
  readonly #server: WebSocketServer;
  readonly #underWay = new Set<Handshake>();
  readonly #readBuffer = new SharedReadBuffer();
  readonly #cancelLook: CancelTimer;

  constructor(ports: UpgradePorts) {
    this.#ports = ports;
    this.#server = new WebSocketServer({
      WebSocket: ClientSocket,
      noServer: true,
      clientTracking: false,
      perMessageDeflate: false,
      autoPong: false,
      maxPayload: ports.options.maxMessageBytes,
      maxFragments: MAX_FRAGMENTS,
      ...OTHER_LIMITS,
      handleProtocols: choose,
    });
    this.#cancelLook = ports.clock.every(LOOK_EVERY_MS, () => this.#endLate());
  }

  /** Handshakes under way. */
  get underWay(): number {
    return this.#underWay.size;
  }

  /** True when the request is for this handler's path. */
  isMine(request: IncomingMessage): boolean {
    const url = request.url ?? "";
    const { path } = this.#ports.options;
    return url === path || url.startsWith(`${path}?`);
  }

  /** Takes a request of an http.Server's `upgrade` event. Node's own error handler and time limits are gone by then. */
  handle(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    const handshake: Handshake = {
      request,
      socket,
      head,
      startedMs: this.#ports.clock.monotonic(),
      onGone: () => this.#end(handshake, "failed"),
      context: undefined,
      slot: undefined,
      isOver: false,
    };
    this.#underWay.add(handshake);
    socket.on("error", ignoreError);
    socket.on("close", handshake.onGone);
    this.#run(handshake).catch((error: unknown) => this.#refuse(handshake, refusalOf(error)));
  }

  /** Refuses those under way. */
  close(): void {
    this.#cancelLook();
    for (const handshake of this.#underWay) this.#refuseIfDraining(handshake);
  }

  #endLate(): void {
    const { clock, options } = this.#ports;
    const latestMs = clock.monotonic() - options.handshakeTimeoutSecs * 1000;
    for (const handshake of this.#underWay) {
      if (handshake.startedMs > latestMs) return;
      this.#refuse(handshake, { status: 408, outcome: "timeout", error: WsError.unavailable("handshake timed out") });
    }
  }

  async #run(handshake: Handshake): Promise<void> {
    const { options } = this.#ports;
    if (this.#refuseIfDraining(handshake)) return;
    if (this.#underWay.size > options.maxHandshakes)
      throw WsError.overloaded("the handshake queue", options.maxHandshakes);
    const asked = readHandshake(handshake.request, options.allowedOrigins);
    if ("status" in asked) {
      this.#refuse(handshake, asked);
      return;
    }
    const context = await this.#authenticate(handshake, asked);
    // The server may have begun to close while the token was verified.
    if (context === undefined || handshake.isOver || this.#refuseIfDraining(handshake)) return;
    this.#accept(handshake, context, this.#ports.registry.reserve(context.tenant));
  }

  #refuseIfDraining(handshake: Handshake): boolean {
    if (!this.#ports.isDraining()) return false;
    this.#refuse(handshake, { status: 503, outcome: "draining", error: drainingError() });
    return true;
  }

  /** Undefined: the token was refused, and the client has been told. */
  async #authenticate(handshake: Handshake, { token }: HandshakeRequest): Promise<TenantContext | undefined> {
    try {
      const context = checkedContext(await this.#ports.authenticator.authenticate(token.token));
      handshake.context = context;
      await this.#ports.tenantGate?.assertActive(context);
      return context;
    } catch (error) {
      const refusal = refusalOf(error);
      if (token.source === "header" || (refusal.status !== 401 && refusal.status !== 403)) {
        this.#refuse(handshake, refusal);
      } else if (!handshake.isOver) {
        this.#acceptAndClose(handshake, refusal);
      }
      return undefined;
    }
  }

  #accept(handshake: Handshake, context: TenantContext, slot: ConnectionSlot): void {
    const { request, socket, head } = handshake;
    handshake.slot = slot;
    const address = this.#ports.addressOf?.(request);
    // The answer and the first messages go down in one write.
    socket.cork();
    // Where ws itself refuses the request, the end comes with the close of the socket.
    this.#server.handleUpgrade(request, socket, head, (webSocket) => {
      handshake.slot = undefined;
      this.#end(handshake, "accepted");
      socket.removeListener("close", handshake.onGone);
      socket.removeListener("error", ignoreError);
      this.#readBuffer.use(socket);
      this.#open({
        // The server was told to make ClientSockets; its types do not carry that.
        webSocket: webSocket as ClientSocket,
        // Over an http.Server the stream of an upgrade is always a net.Socket, or a tls.TLSSocket which is one too.
        socket: socket as Socket,
        context,
        slot,
        address,
      });
    });
  }

  /** What fails here is too late for a refusal: the connection is cut off, and its place is free. */
  #open(start: ConnectionStart): void {
    try {
      this.#ports.onAccepted(start);
    } catch (error) {
      const { tenant, user } = start.context;
      this.#ports.logger.error("connection_failed", { tenant_id: tenant, user_id: user, error });
      start.webSocket.terminate();
      start.slot.release();
    }
  }

  /** A browser cannot read a refused upgrade: it is told by a close code. */
  #acceptAndClose(handshake: Handshake, refusal: Refusal): void {
    const { request, socket, head } = handshake;
    const errorId = this.#report(refusal, handshake);
    this.#server.handleUpgrade(request, socket, head, (webSocket) => {
      this.#end(handshake, refusal.outcome);
      webSocket.on("error", ignoreError);
      const encoding = encodingOf(webSocket.protocol) ?? "proto";
      const told = toClientError(refusal.error, errorId);
      const element = encodeServerElement({ body: { case: "error", value: { ...told } } }, encoding);
      socket.write(frameElements([whole(Buffer.from(element))], encoding).bytes);
      webSocket.close(closeCodeOf(refusal.error), told.message);
    });
  }

  #refuse(handshake: Handshake, refusal: Refusal): void {
    if (handshake.isOver) return;
    this.#end(handshake, refusal.outcome);
    refuse(handshake.socket, refusal, this.#report(refusal, handshake));
  }

  #end(handshake: Handshake, outcome: Refusal["outcome"]): void {
    if (handshake.isOver) return;
    handshake.isOver = true;
    handshake.slot?.release();
    this.#underWay.delete(handshake);
    this.#ports.metrics.handshake(outcome, (this.#ports.clock.monotonic() - handshake.startedMs) / 1000);
  }

  #report(refusal: Refusal, { request, context }: Handshake): string {
    const { randomness, clock, logger, metrics } = this.#ports;
    const errorId = randomness.uuid(clock.now());
    metrics.error(toClientError(refusal.error, errorId).code);
    const level = refusal.status === 500 ? "error" : "info";
    logger[level]("handshake_refused", {
      error_id: errorId,
      status: refusal.status,
      outcome: refusal.outcome,
      tenant_id: context?.tenant,
      user_id: context?.user,
      address: this.#shownAddress(request),
      error: refusal.error,
    });
    return errorId;
  }

  /** That of the socket where the one to be asked fails: it may be what is reported. */
  #shownAddress(request: IncomingMessage): string | undefined {
    try {
      return this.#ports.addressOf?.(request) ?? request.socket.remoteAddress;
    } catch {
      return request.socket.remoteAddress;
    }
  }
}

/** One of our own strings: that of the request would be kept with each connection. */
function choose(offered: Iterable<string>): string | false {
  for (const entry of offered) {
    const encoding = encodingOf(entry);
    if (encoding !== undefined) return SUBPROTOCOLS[encoding];
  }
  return false;
}

function ignoreError(): void {
  // The socket's close event follows, and says all that matters.
}

function drainingError(): WsError {
  return WsError.unavailable("the server is draining", { retryAfterMs: 1_000 });
}

function refusalOf(error: unknown): Refusal {
  if (!(error instanceof CodedError)) {
    return { status: 500, outcome: "failed", error: WsError.internal("a handshake", error) };
  }
  switch (error.code) {
    case "UNAVAILABLE":
    case "RATE_LIMIT_EXCEEDED":
      return { status: 503, outcome: "overloaded", error };
    case "CONNECTION_LIMIT":
      return { status: 429, outcome: "limited", error };
    case "TENANT_UNKNOWN":
    case "TENANT_SUSPENDED":
      return { status: 403, outcome: "forbidden", error };
    case "INTERNAL_ERROR":
      return { status: 500, outcome: "failed", error };
    default:
      return { status: 401, outcome: "unauthorized", error };
  }
}

function closeCodeOf({ code }: CodedError): CloseCode {
  if (code === "TOKEN_EXPIRED") return CloseCode.TOKEN_EXPIRED;
  return code === "TENANT_SUSPENDED" || code === "TENANT_UNKNOWN" ? CloseCode.FORBIDDEN : CloseCode.INVALID_TOKEN;
}
