import { RetryTurns } from "./channel/retry-turns.ts";
import { Subscription } from "./channel/subscription.ts";
import type { SubscriptionListener } from "./channel/subscription-listener.ts";
import type { ResolvedClientOptions } from "./client-options.ts";
import type { ClientState } from "./client-state.ts";
import { Connection } from "./connection/connection.ts";
import { Link, type LinkListener } from "./connection/link.ts";
import { HistoryReader } from "./history/history-reader.ts";
import { PmClientError } from "./pm-client-error.ts";
import { Publisher } from "./publish/publisher.ts";
import type { PublishResult } from "./publish/pending-publish.ts";
import { SDK_NAME } from "./sdk-name.ts";
import { TokenRefresher } from "./token/token-refresher.ts";
import { TokenSource } from "./token/token-source.ts";
import type { HistoryPageMessage, Publish, ReadHistory, ServerBody } from "./wire/messages.ts";

/** What a Session tells its client. */
export interface SessionListener {
  /** It has ended; its channels end next, and then comes the state. */
  onEnded(error: PmClientError): void;
  onState(state: ClientState): void;
  onTokenError(error: PmClientError): void;
  onError(error: PmClientError): void;
}

/** Puts the parts of a client together: what comes over connections goes to channels, commands to connections. */
export class Session {
  readonly #options: ResolvedClientOptions;
  readonly #listener: SessionListener;
  readonly #subscriptions = new Map<string, Subscription>();
  readonly #link: Link;
  readonly #refresher: TokenRefresher;
  readonly #publisher: Publisher;
  readonly #history: HistoryReader;
  readonly #turns: RetryTurns;
  #endNetworkEvents: (() => void) | undefined;
  #endedWith: PmClientError | undefined;

  constructor(options: ResolvedClientOptions, listener: SessionListener) {
    this.#options = options;
    this.#listener = listener;
    this.#turns = new RetryTurns(options.clock);
    const { clock, random, maxPendingPublishes, maxPublishWaitMs } = options;
    const onFailure = (error: PmClientError): void => listener.onTokenError(error);
    const tokens = new TokenSource(options.getToken, { clock, random, timeoutMs: options.tokenTimeoutMs, onFailure });
    const onUnauthorized = (error: PmClientError): void => this.stop(error);
    this.#refresher = new TokenRefresher({ tokens, clock, random, onFailure, onUnauthorized });
    this.#publisher = new Publisher({
      clock,
      random,
      maxPending: maxPendingPublishes,
      maxWaitMs: maxPublishWaitMs,
      isReading: (channel) => this.#subscriptions.get(channel)?.isReading === true,
    });
    this.#history = new HistoryReader({ clock, random });
    this.#link = new Link(
      { clock, random, tokens, open: (token, listening) => new Connection({ ...options, token }, options, listening) },
      this.#linkListener,
    );
  }

  get state(): ClientState {
    return this.#link.state;
  }

  /** Why it has ended; undefined before the first `start` and after each. */
  get endedWith(): PmClientError | undefined {
    return this.#endedWith;
  }

  /** The connection to ask for channels. */
  get joined(): Connection | undefined {
    return this.#link.incoming ?? this.#link.serving;
  }

  start(): void {
    this.#endNetworkEvents ??= this.#options.networkEvents((event) => this.#link.onNetwork(event));
    this.#link.start();
  }

  /** Ends everything; with an error, for good. */
  stop(error?: PmClientError): void {
    if (this.state.kind !== "idle") this.#link.stop(error);
  }

  addSubscription(name: string, listener: SubscriptionListener): Subscription {
    const { clock, random } = this.#options;
    const turns = this.#turns;
    const onEpoch = (connection: Connection, epoch: string): void => this.#publisher.onEpoch(name, epoch, connection);
    const onState: SubscriptionListener["onState"] = (state) => {
      this.#publisher.onReadingChanged(name);
      listener.onState(state);
    };
    const observed: SubscriptionListener = { ...listener, onState };
    const subscription = new Subscription(name, { clock, random, turns, onEpoch }, observed);
    this.#subscriptions.set(name, subscription);
    return subscription;
  }

  /** @throws PmClientError when the client is not connecting, or has stopped */
  async publish(message: Publish): Promise<PublishResult> {
    this.#assertStarted();
    return this.#publisher.publish(message);
  }

  /** @throws PmClientError when the client is not connecting, or has stopped */
  async readHistory(question: ReadHistory): Promise<HistoryPageMessage> {
    this.#assertStarted();
    return this.#history.read(question);
  }

  readonly #linkListener: LinkListener = {
    onState: (state) => this.#onState(state),
    onJoined: (connection) => this.#onJoined(connection),
    onServing: (connection) => this.#onServing(connection),
    onLeft: (connection) => this.#onLeft(connection),
    onPush: (connection, body) => this.#onPush(connection, body),
    onRead: () => this.#checkMove(),
    onError: (error) => this.#listener.onError(error),
  };

  #onJoined(connection: Connection): void {
    connection.send({ kind: "hello", value: { sessionId: this.#options.sessionId, sdk: SDK_NAME } });
    for (const subscription of this.#subscriptions.values()) subscription.join(connection);
  }

  #onServing(connection: Connection): void {
    if (connection.welcome !== undefined) this.#refresher.watch(connection, connection.welcome);
    this.#publisher.serve(connection);
    this.#history.serve(connection);
  }

  #onLeft(connection: Connection): void {
    for (const subscription of this.#subscriptions.values()) subscription.leave(connection);
    this.#publisher.leave(connection);
    this.#publisher.release();
    this.#history.leave(connection);
    this.#rejoin(connection);
  }

  /** A move has failed: the connection that serves on has not heard of what was wanted while the new one was there. */
  #rejoin(left: Connection): void {
    const { serving } = this.#link;
    if (serving === undefined || serving === left) return;
    for (const subscription of this.#subscriptions.values()) subscription.join(serving);
  }

  #onPush(connection: Connection, body: ServerBody): void {
    if (body.kind === "publication") this.#subscriptions.get(body.value.channel)?.onPublication(connection, body.value);
    else if (body.kind === "lagged") this.#subscriptions.get(body.value.channel)?.onLagged(connection, body.value);
    else if (body.kind === "error") this.#listener.onError(PmClientError.fromServer(body.value));
    else if (body.kind === "unsubscribed") {
      this.#subscriptions.get(body.value.channel)?.onUnsubscribed(connection, body.value.code);
    }
    // A Subscribed that answers nothing is ignored: the client asks for every channel it wants, `tenant` too.
  }

  /** The old connection is left when the new one has brought what was there, and publishes have their answers. */
  #checkMove(): void {
    const { incoming } = this.#link;
    if (incoming === undefined) return;
    const isCaughtUp = [...this.#subscriptions.values()].every((subscription) => subscription.isCaughtUpOn(incoming));
    if (isCaughtUp) this.#publisher.hold(() => this.#link.completeMove());
  }

  #onState(state: ClientState): void {
    this.#endedWith = undefined;
    if (state.kind === "idle" || state.kind === "stopped") {
      const error = state.kind === "stopped" ? state.error : PmClientError.closed("the client");
      this.#endedWith = error;
      this.#listener.onEnded(error);
      this.#endNetworkEvents?.();
      this.#endNetworkEvents = undefined;
      this.#refresher.close();
      this.#publisher.close(error);
      this.#history.close(error);
      for (const subscription of this.#subscriptions.values()) {
        if (state.kind === "stopped") subscription.fail(error);
        else subscription.end();
      }
    }
    // A listener of a channel may have begun again.
    if (this.state === state) this.#listener.onState(state);
  }

  #assertStarted(): void {
    const { state } = this;
    if (state.kind === "stopped") throw state.error;
    if (state.kind === "idle") throw new PmClientError("CLOSED", "the client is not connected: call connect() first");
  }
}
