import type { ClientState } from "../client-state.ts";
import { PmClientError } from "../pm-client-error.ts";
import type { Clock } from "../platform/clock.ts";
import type { NetworkEvent } from "../platform/network-events.ts";
import type { Randomness } from "../platform/randomness.ts";
import { type Closure, ReconnectPolicy, type Verdict } from "../reconnect/reconnect-policy.ts";
import type { TokenSource } from "../token/token-source.ts";
import type { ServerBody, Welcome } from "../wire/messages.ts";
import type { Connection, ConnectionListener } from "./connection.ts";
import { Dialer, tokenReasonOf } from "./dialer.ts";

/** What a Link is made of. */
export interface LinkPorts {
  readonly clock: Clock;
  readonly random: Randomness;
  readonly tokens: TokenSource;
  /** Begins a connection. */
  readonly open: (token: string, listener: ConnectionListener) => Connection;
}

/** What a Link tells its owner. */
export interface LinkListener {
  onState(state: ClientState): void;
  /** A connection was welcomed: channels can be subscribed to on it. */
  onJoined(connection: Connection): void;
  /** Commands go over this connection from now on. */
  onServing(connection: Connection): void;
  /** A connection that had joined has ended. */
  onLeft(connection: Connection): void;
  onPush(connection: Connection, body: ServerBody): void;
  /** A frame was taken whole. */
  onRead(connection: Connection): void;
  onError(error: PmClientError): void;
}

type Identity = Pick<Welcome, "tenantId" | "userId">;

/**
 * Keeps a connection to the server, by the rules of its close codes. After a GoAway it opens the next connection while
 * the old one still serves; both are joined until `completeMove`.
 */
export class Link {
  readonly #ports: LinkPorts;
  readonly #listener: LinkListener;
  readonly #dialer: Dialer;
  /** Another one after each `stop`. */
  #policy: ReconnectPolicy;
  #state: ClientState = { kind: "idle" };
  #serving: Connection | undefined;
  #incoming: Connection | undefined;
  /** Whose client this is, from the first Welcome to the end. */
  #identity: Identity | undefined;

  constructor(ports: LinkPorts, listener: LinkListener) {
    this.#ports = ports;
    this.#listener = listener;
    this.#policy = new ReconnectPolicy(ports.random);
    this.#dialer = new Dialer({
      clock: ports.clock,
      tokens: ports.tokens,
      open: (token) => ports.open(token, this.#connectionListener),
      onHopeless: (error) => this.#onHopeless(error),
    });
  }

  get state(): ClientState {
    return this.#state;
  }

  /** The connection that commands go over. */
  get serving(): Connection | undefined {
    return this.#serving;
  }

  /** The connection that will serve next, while the old one still does. */
  get incoming(): Connection | undefined {
    return this.#incoming;
  }

  /** Begins, or begins again. Does nothing while it is up. */
  start(): void {
    if (this.#state.kind !== "idle" && this.#state.kind !== "stopped") return;
    this.#dialer.dial({ afterMs: 0, isHint: false });
    this.#become({ kind: "connecting" });
  }

  /** Ends all connections; with an error, for good. */
  stop(error?: PmClientError): void {
    this.#policy = new ReconnectPolicy(this.#ports.random);
    this.#dialer.cancel();
    this.#ports.tokens.close();
    const joined = [this.#serving, this.#incoming].filter((connection) => connection !== undefined);
    this.#serving = undefined;
    this.#incoming = undefined;
    this.#identity = undefined;
    this.#become(error === undefined ? { kind: "idle" } : { kind: "stopped", error });
    for (const connection of joined) {
      connection.close();
      this.#listener.onLeft(connection);
    }
  }

  /** The incoming connection has all that the serving one has: it serves from now on. */
  completeMove(): void {
    const old = this.#serving;
    if (this.#incoming === undefined) return;
    old?.close();
    if (old !== undefined) this.#listener.onLeft(old);
    this.#promote();
  }

  onNetwork(event: NetworkEvent): void {
    this.#serving?.probe();
    this.#incoming?.probe();
    if (event !== "offline") this.#dialer.hurry();
  }

  readonly #connectionListener: ConnectionListener = {
    onWelcome: (connection, welcome) => this.#onWelcome(connection, welcome),
    onPush: (connection, body) => this.#onPush(connection, body),
    onRead: (connection) => this.#listener.onRead(connection),
    onClosed: (connection, closure) => this.#onClosed(connection, closure),
    onError: (error) => this.#listener.onError(error),
  };

  #onWelcome(connection: Connection, welcome: Welcome): void {
    this.#identity ??= welcome;
    if (nameOf(welcome) !== nameOf(this.#identity)) {
      // What waits was meant for the one who was here before: it must not go out in another name.
      this.stop(PmClientError.identityChanged(nameOf(this.#identity), nameOf(welcome)));
      return;
    }
    this.#dialer.release();
    if (this.#serving !== undefined) {
      this.#incoming = connection;
      this.#listener.onJoined(connection);
      return;
    }
    this.#serving = connection;
    this.#become(connectedState(welcome));
    if (this.#serving !== connection) return;
    this.#listener.onJoined(connection);
    this.#listener.onServing(connection);
  }

  #onPush(connection: Connection, body: ServerBody): void {
    if (body.kind === "goAway" && connection === this.#serving) this.#prepareMove(connection);
    this.#listener.onPush(connection, body);
  }

  #prepareMove(connection: Connection): void {
    if (!this.#dialer.isIdle || this.#incoming !== undefined) return;
    const { goAwayLeftMs, welcomedForMs = 0 } = connection;
    this.#dialer.dial({ afterMs: this.#policy.moveAfterMs(goAwayLeftMs, welcomedForMs), isHint: true });
  }

  #onClosed(connection: Connection, closure: Closure): void {
    if (connection === this.#serving) this.#onServingClosed(connection, closure);
    else if (connection === this.#incoming) this.#onIncomingClosed(connection, closure);
    else if (connection === this.#dialer.opening) this.#onRefused(closure);
  }

  #onServingClosed(connection: Connection, closure: Closure): void {
    this.#serving = undefined;
    if (!this.#leave(connection)) return;
    if (this.#incoming !== undefined) {
      this.#promote();
      return;
    }
    const verdict = this.#policy.judge(closure);
    if (verdict.kind === "stop") this.#stopFor(closure);
    else if (this.#dialer.isIdle) this.#dialAgain(closure, verdict);
    else this.#become({ kind: "connecting" });
  }

  #onIncomingClosed(connection: Connection, closure: Closure): void {
    this.#incoming = undefined;
    if (this.#leave(connection)) this.#onRefused(closure);
  }

  /** Tells that a connection has ended. False when a listener has ended the client because of that. */
  #leave(connection: Connection): boolean {
    const policy = this.#policy;
    this.#listener.onLeft(connection);
    return this.#policy === policy;
  }

  /** An attempt has failed. While another connection serves, only waiting follows from it. */
  #onRefused(closure: Closure): void {
    this.#dialer.release();
    const verdict = this.#policy.judge(closure);
    if (verdict.kind === "reconnect") this.#dialAgain(closure, verdict);
    else if (this.#serving === undefined) this.#stopFor(closure);
  }

  #dialAgain({ code, reason }: Closure, verdict: Extract<Verdict, { kind: "reconnect" }>): void {
    const { afterMs, isHint, needsToken } = verdict;
    this.#dialer.dial({ afterMs, isHint, tokenReason: needsToken ? tokenReasonOf(code) : undefined });
    if (this.#serving === undefined) this.#become({ kind: "waiting", afterMs, closeCode: code, reason });
  }

  #promote(): void {
    const connection = this.#incoming;
    if (connection?.welcome === undefined) return;
    this.#serving = connection;
    this.#incoming = undefined;
    this.#become(connectedState(connection.welcome));
    if (this.#serving !== connection) return;
    this.#listener.onServing(connection);
    if (connection.isGoingAway) this.#prepareMove(connection);
  }

  #onHopeless(error: PmClientError): void {
    if (this.#serving === undefined || error.code === "UNAUTHORIZED") this.stop(error);
    else this.#listener.onError(error);
  }

  #stopFor({ code, lastError, reason }: Closure): void {
    this.stop(PmClientError.stopped(code, lastError, reason));
  }

  /** Comes last, or before a look at what is left: a listener may end the client, and begin again. */
  #become(state: ClientState): void {
    this.#state = state;
    this.#listener.onState(state);
  }
}

/** The user and the tenant. A tenant id has no blank in it, so no two of them are named alike. */
function nameOf({ tenantId, userId }: Identity): string {
  return `user ${userId} of tenant ${tenantId}`;
}

function connectedState({ connectionId, nodeId, tenantId, userId }: Welcome): ClientState {
  return { kind: "connected", connectionId, nodeId, tenantId, userId };
}
