import { assertId, assertPosition, assertUint32, assertWellFormed } from "../argument-checks.ts";
import { Emitter, type Unlisten } from "../emitter.ts";
import type { HistoryOptions, HistoryPage } from "../history/history-page.ts";
import { PmClientError } from "../pm-client-error.ts";
import type { PublishResult } from "../publish/pending-publish.ts";
import type { PublishOptions } from "../publish/publish-options.ts";
import type { Payload, PublicationMessage, StreamPosition } from "../wire/messages.ts";
import type { ChannelEvents } from "./channel-events.ts";
import type { ChannelInit, ChannelPorts } from "./channel-ports.ts";
import { type Publication, type PublicationPlace, toPublication } from "./publication.ts";
import { type LoopEnd, PublicationQueue } from "./publication-queue.ts";
import { assertSubscribeOptions, type SubscribeOptions } from "./subscribe-options.ts";
import type { Subscription } from "./subscription.ts";
import type { Miss, SubscriptionListener, SubscriptionState } from "./subscription-listener.ts";

interface Waiter {
  readonly resolve: () => void;
  readonly reject: (error: PmClientError) => void;
}

/**
 * One channel of the tenant: what is published to it, in order, once, or with word of what was missed. It is subscribed
 * to by `subscribe`, and for as long as a `for await` runs.
 */
export class Channel<Data = unknown, Input = Data> implements AsyncIterable<Publication<Data>, undefined> {
  readonly name: string;
  readonly #ports: ChannelPorts;
  readonly #init: ChannelInit<Data, Input>;
  readonly #subscription: Subscription;
  readonly #emitter = new Emitter<ChannelEvents<Data>>();
  readonly #queues = new Set<PublicationQueue<Publication<Data>>>();
  #waiters: Waiter[] = [];
  /** `subscribe` was called: the channel stays when the last loop ends. */
  #isKept = false;
  #missedBefore: Miss | undefined;
  #begunAt: StreamPosition | undefined;
  /** A loop has ended and left what comes after. */
  #untakenAfter: StreamPosition | undefined;
  #error: PmClientError | undefined;

  constructor(name: string, init: ChannelInit<Data, Input>, ports: ChannelPorts) {
    this.name = name;
    this.#init = init;
    this.#ports = ports;
    this.#subscription = ports.addSubscription(name, this.#listener);
  }

  get state(): SubscriptionState {
    return this.#subscription.state;
  }

  /** Everything up to here was delivered; `since` of a later `subscribe`. */
  get position(): StreamPosition | undefined {
    return this.#subscription.cursor;
  }

  /** Calls `listener` at each event of this name. The returned function ends that. */
  on<Name extends keyof ChannelEvents<Data>>(
    name: Name,
    listener: (event: ChannelEvents<Data>[Name]) => void,
  ): Unlisten {
    return this.#emitter.on(name, listener);
  }

  /**
   * Subscribes, and stays subscribed over all connections until `unsubscribe`. Resolves when the server has answered;
   * at once while a loop that is behind keeps the channel `paused`. It may be called before `connect`, not after
   * `close`.
   * @throws PmClientError with the code of the server, `PERMISSION_DENIED` for example, or `CLOSED`
   */
  async subscribe(options: SubscribeOptions = this.#start): Promise<void> {
    assertSubscribeOptions(options);
    if (this.#ports.endedWith !== undefined) throw this.#ports.endedWith;
    this.#isKept = true;
    this.#begin(options);
    if (this.state !== "subscribing") return;
    await new Promise<void>((resolve, reject) => this.#waiters.push({ resolve, reject }));
  }

  /** Leaves the channel; loops end when they have taken what is queued. */
  unsubscribe(): void {
    this.#subscription.end();
  }

  /**
   * Publishes; without a connection, as soon as there is one. It is sent again after a lost connection, and is in the
   * log once.
   * @throws PmClientError with the code of the server, or `OUTCOME_UNKNOWN`, `EXPIRED`, `BUFFER_FULL`,
   * `MESSAGE_TOO_LARGE`, `INVALID_PAYLOAD`, `INVALID_ARGUMENT`, `CLOSED`
   */
  async publish(data: Input, options: PublishOptions = {}): Promise<PublishResult> {
    const { event, traceParent, idempotencyKey = this.#init.newKey() } = options;
    assertWellFormed("event", event);
    assertId("idempotencyKey", idempotencyKey);
    // For the server it would be no key at all, and what is sent again would be published twice.
    if (idempotencyKey === "") throw PmClientError.invalidArgument("idempotencyKey", "is empty");
    assertWellFormed("traceParent", traceParent);
    const payload = this.#encode(data);
    return this.#ports.publish({ channel: this.name, payload, event, idempotencyKey, traceParent });
  }

  /**
   * Reads a page of the log; needs the grant `history`. Waits for a connection where there is none, and over a rate
   * limit until there is room, for half a minute.
   * @throws PmClientError with the code of the server, or `TIMEOUT`, `CLOSED`
   */
  async history({ since, limit, backward }: HistoryOptions = {}): Promise<HistoryPage<Data>> {
    assertPosition(since);
    assertUint32("limit", limit);
    const page = await this.#ports.readHistory({ channel: this.name, since: since ?? undefined, limit, backward });
    const top = page.top ?? { epoch: "", offset: 0, check: 0 };
    const publications: Publication<Data>[] = [];
    for (const message of page.publications) {
      const { offset, check } = message;
      const publication = this.#decode(message, {
        position: { epoch: top.epoch, offset, check },
        missedBefore: undefined,
      });
      if (publication !== undefined) publications.push(publication);
    }
    const miss = page.miss === "UNSPECIFIED" ? undefined : page.miss;
    return { publications, position: page.position ?? top, hasMore: page.more, miss, top };
  }

  /**
   * The publications from now on, subscribing to the channel if need be. A loop that is slower than the publishers
   * makes the client leave the channel for a while and come back for the rest.
   * @throws PmClientError in the loop, when the channel or the client ends with an error
   */
  [Symbol.asyncIterator](): AsyncIterableIterator<Publication<Data>, undefined> {
    const queue = new PublicationQueue<Publication<Data>>({
      maxItems: this.#init.maxQueued,
      onFull: () => this.#subscription.pause(),
      onDrained: () => this.#resume(),
      onReturn: (end) => this.#onReturn(queue, end),
    });
    if (this.#ports.endedWith !== undefined) {
      queue.finish(this.#ports.endedWith);
      return queue;
    }
    this.#queues.add(queue);
    this.#begin(this.#start);
    return queue;
  }

  /** A channel that was given a position continues after the one that it has now, or with what a loop has left. */
  get #start(): SubscribeOptions {
    const { since, rewind } = this.#init.start;
    return { since: since ? (this.#untakenAfter ?? this.position ?? since) : undefined, rewind };
  }

  readonly #listener: SubscriptionListener = {
    onPublication: (message, position) => this.#onPublication(message, position),
    onLagged: (miss) => {
      this.#noteMiss(miss);
      this.#emitter.emit("lagged", miss);
    },
    onMissed: (miss) => {
      this.#noteMiss(miss);
      this.#emitter.emit("missed", miss);
    },
    onRecovered: (recovery) => this.#emitter.emit("recovered", recovery),
    onFailed: (error) => {
      this.#error = error;
    },
    onState: (state) => this.#onState(state),
  };

  #begin(options: SubscribeOptions): void {
    if (this.#subscription.isWanted) return;
    this.#error = undefined;
    this.#missedBefore = undefined;
    this.#untakenAfter = undefined;
    this.#begunAt = options.since ?? undefined;
    this.#subscription.begin(options, this.#ports.joined);
  }

  /** What was missed before and not said yet by a publication counts too. */
  #noteMiss(miss: Miss): void {
    const { count } = this.#missedBefore ?? { count: 0 };
    const isKnown = count !== undefined && miss.count !== undefined;
    this.#missedBefore = { ...miss, count: isKnown ? count + miss.count : undefined };
  }

  #onPublication(message: PublicationMessage, position: StreamPosition): void {
    const publication = this.#decode(message, { position, missedBefore: this.#missedBefore });
    if (publication === undefined) return;
    this.#missedBefore = undefined;
    for (const queue of this.#queues) queue.push(publication);
    this.#emitter.emit("publication", publication);
  }

  #decode(message: PublicationMessage, place: PublicationPlace): Publication<Data> | undefined {
    try {
      return toPublication(message, { ...place, type: this.#init.type });
    } catch (error) {
      const { position } = place;
      this.#emitter.emit("invalid", { position, messageId: message.messageId, error: error as PmClientError });
      return undefined;
    }
  }

  #encode(data: Input): Payload | undefined {
    try {
      const kind = this.#init.type.encode(data);
      return kind === undefined ? undefined : { kind };
    } catch (cause) {
      throw cause instanceof PmClientError ? cause : PmClientError.invalidPayload(this.name, cause);
    }
  }

  #onState(state: SubscriptionState): void {
    const waiters = state === "subscribing" ? [] : this.#waiters.splice(0);
    if (state !== "unsubscribed") for (const { resolve } of waiters) resolve();
    else {
      this.#isKept = false;
      for (const { reject } of waiters) reject(this.#error ?? PmClientError.closed("the channel"));
      for (const queue of this.#queues) queue.finish(this.#error);
      this.#queues.clear();
    }
    this.#emitter.emit("state", { state, error: this.#error });
  }

  #onReturn(queue: PublicationQueue<Publication<Data>>, { taken, hasRest }: LoopEnd<Publication<Data>>): void {
    const isOpen = this.#queues.delete(queue);
    if (isOpen && (this.#queues.size > 0 || this.#isKept)) {
      this.#resume();
      return;
    }
    // It may have been ended before, with the channel or the client, and left what it had not taken yet.
    if (!isOpen && this.#subscription.isWanted) return;
    if (hasRest) this.#untakenAfter = taken?.position ?? this.#begunAt;
    this.#subscription.end();
  }

  /** The slowest of several loops sets the pace of all. */
  #resume(): void {
    if (![...this.#queues].some(({ isFull }) => isFull)) this.#subscription.resume(this.#ports.joined);
  }
}
