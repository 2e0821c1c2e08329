import { CloseCode } from "@pm/proto";
import type { Connection } from "../connection/connection.ts";
import type { Reply } from "../connection/pending-replies.ts";
import { PmClientError } from "../pm-client-error.ts";
import type { Clock } from "../platform/clock.ts";
import type { Randomness } from "../platform/randomness.ts";
import { waitMs } from "../reconnect/backoff.ts";
import type { Lagged, PublicationMessage, StreamPosition, Subscribed } from "../wire/messages.ts";
import { ChannelStreams } from "./channel-streams.ts";
import { hasReached, judgePublication } from "./cursor-rule.ts";
import type { RetryTurns } from "./retry-turns.ts";
import type { SubscribeOptions } from "./subscribe-options.ts";
import type { Miss, SubscriptionListener, SubscriptionState } from "./subscription-listener.ts";

/** What a subscription is made of. */
export interface SubscriptionPorts {
  readonly clock: Clock;
  readonly random: Randomness;
  /** Of all channels together. */
  readonly turns: RetryTurns;
  /** The epoch of the log, as it was told over a connection. */
  readonly onEpoch: (connection: Connection, epoch: string) => void;
}

/** Reserved: every connection is subscribed to it from the beginning. */
const TENANT_CHANNEL = "tenant";
const RETRY = { kind: "backoff", baseMs: 250, leastMs: 50 } as const;
/** Disagreements in a row after which the client waits before it asks again. */
const PATIENCE = 2;

/**
 * One channel's cursor over all connections. While the client moves from one connection to the next both deliver, and
 * the cursor takes each publication from whichever brings it first.
 */
export class Subscription {
  readonly #name: string;
  readonly #ports: SubscriptionPorts;
  readonly #listener: SubscriptionListener;
  readonly #streams: ChannelStreams;
  #state: SubscriptionState = "unsubscribed";
  #isWanted = false;
  #isPaused = false;
  #start: SubscribeOptions = {};
  #cursor: StreamPosition | undefined;
  #disagreements = 0;
  #refusals = 0;

  constructor(name: string, ports: SubscriptionPorts, listener: SubscriptionListener) {
    this.#name = name;
    this.#ports = ports;
    this.#listener = listener;
    this.#streams = new ChannelStreams(name, ports);
  }

  get state(): SubscriptionState {
    return this.#state;
  }

  /** Everything up to here was delivered. */
  get cursor(): StreamPosition | undefined {
    return this.#cursor;
  }

  get isWanted(): boolean {
    return this.#isWanted;
  }

  /** True when a server is asked for publications, or would be if there were a connection. */
  get isReading(): boolean {
    return this.#isWanted && !this.#isPaused;
  }

  /** Wants the channel, which it did not, from now on; `connection` is the one to ask, if there is one. */
  begin(options: SubscribeOptions, connection: Connection | undefined): void {
    this.#isWanted = true;
    this.#start = options;
    this.#cursor = options.since ?? undefined;
    if (connection !== undefined) this.#ask(connection);
    this.#update();
  }

  /** Does not want the channel any more. */
  end(): void {
    this.#leave();
    this.#update();
  }

  /** Ends with an error. */
  fail(error: PmClientError): void {
    if (!this.#isWanted) return;
    this.#leave();
    this.#listener.onFailed(error);
    this.#update();
  }

  /** Ends delivery and keeps the cursor. */
  pause(): void {
    if (!this.isReading) return;
    this.#isPaused = true;
    this.#streams.leaveAll();
    this.#update();
  }

  /** Goes on from the cursor. */
  resume(connection: Connection | undefined): void {
    if (!this.#isPaused) return;
    this.#isPaused = false;
    if (connection !== undefined) this.#ask(connection);
    this.#update();
  }

  /** Asks a connection that has joined, unless it is asked already. */
  join(connection: Connection): void {
    if (!this.isReading || this.#streams.isWantedOn(connection)) return;
    this.#ask(connection);
    this.#update();
  }

  /** Forgets a connection. */
  leave(connection: Connection): void {
    this.#streams.forget(connection);
    this.#update();
  }

  /** True when this connection has brought everything that was in the log when it joined. */
  isCaughtUpOn(connection: Connection): boolean {
    if (!this.isReading) return true;
    const stream = this.#streams.live(connection);
    return stream !== undefined && this.#cursor !== undefined && hasReached(this.#cursor, stream.top);
  }

  onPublication(connection: Connection, publication: PublicationMessage): void {
    const stream = this.#streams.live(connection);
    // Offsets of different epochs cannot be compared.
    if (stream === undefined || stream.epoch !== this.#cursor?.epoch) return;
    const verdict = judgePublication(this.#cursor, publication);
    if (verdict.kind === "resubscribe") this.#askAgain(connection);
    if (verdict.kind !== "accept") return;
    this.#disagreements = 0;
    this.#cursor = verdict.cursor;
    this.#listener.onPublication(publication, verdict.cursor);
  }

  onLagged(connection: Connection, { position, missedCount, reason }: Lagged): void {
    const stream = this.#streams.live(connection);
    if (stream === undefined || position === undefined) return;
    if (this.#streams.hasNewerLive(connection)) {
      this.#streams.drop(connection);
      return;
    }
    if (this.#streams.hasOlderLive(connection)) {
      // The older connection may have brought what this one cannot bring: the answer will tell.
      this.#ask(connection);
      return;
    }
    this.#cursor = position;
    this.#streams.answered(connection, { ...stream, epoch: position.epoch });
    this.#ports.onEpoch(connection, position.epoch);
    this.#listener.onLagged({ reason, count: missedCount || undefined, position });
  }

  /** The server has ended delivery: its grants are gone. */
  onUnsubscribed(connection: Connection, code: string): void {
    if (code === "" || this.#streams.live(connection) === undefined) return;
    this.#streams.drop(connection);
    this.fail(new PmClientError(code, `the server ended the subscription to ${this.#name}`, { field: this.#name }));
  }

  #ask(connection: Connection): void {
    const since = this.#cursor;
    const rewind = since === undefined ? this.#start.rewind : undefined;
    // A subscription that is there already takes no notice of `rewind`.
    if (rewind !== undefined && this.#name === TENANT_CHANNEL) this.#streams.unsubscribe(connection);
    this.#streams.ask(connection, { since, rewind }, (reply) => {
      this.#onReply(connection, reply, since);
      this.#update();
    });
  }

  #onReply(connection: Connection, reply: Reply, since: StreamPosition | undefined): void {
    if (reply.kind === "answer" && reply.body?.kind === "subscribed") {
      this.#refusals = 0;
      // The other connection may have begun, or told a new epoch, since the question.
      if (since?.epoch === this.#cursor?.epoch) this.#onSubscribed(connection, reply.body.value);
      else this.#ask(connection);
    } else if (reply.kind === "timeout") {
      connection.fail(CloseCode.ABNORMAL, `no answer to Subscribe within ${reply.afterMs} ms`);
    } else if (reply.kind === "refused" && !reply.error.retryable) {
      this.fail(PmClientError.fromServer(reply.error));
    } else if (reply.kind !== "lost") {
      const error = reply.kind === "refused" ? reply.error : undefined;
      this.#askLater(connection, this.#streams.retryAfterMs(connection, this.#refusals++, error));
    }
  }

  #onSubscribed(connection: Connection, answer: Subscribed): void {
    const { position = NOWHERE, recovered, miss, missedCount } = answer;
    const top = answer.top ?? position;
    this.#streams.answered(connection, { kind: "live", epoch: position.epoch, top });
    this.#ports.onEpoch(connection, position.epoch);
    const cursor = this.#cursor;
    // With two connections the cursor may have moved on since the question; it does not go back.
    const isPast = cursor !== undefined && cursor.epoch === position.epoch && cursor.offset >= position.offset;
    if (isPast && (recovered || miss === "RETENTION")) {
      this.#listener.onRecovered({ position: cursor, behind: Math.max(0, top.offset - cursor.offset) });
      return;
    }
    this.#restart(connection, { reason: miss, count: missedCount || undefined, position });
  }

  /**
   * Begins, or goes on somewhere else. Where connections lead to different logs, that of the newest is the right one.
   */
  #restart(connection: Connection, miss: Miss): void {
    if (this.#streams.hasNewerLive(connection)) {
      this.#streams.drop(connection);
      return;
    }
    this.#streams.dropOlder(connection);
    const isMiss = this.#cursor !== undefined;
    this.#cursor = miss.position;
    if (isMiss) this.#listener.onMissed(miss);
    for (const newer of this.#streams.newerAsked(connection)) this.#ask(newer);
  }

  /** The client and the server disagree. When that does not end, it is not the client that hurries. */
  #askAgain(connection: Connection): void {
    const disagreements = this.#disagreements++;
    if (disagreements < PATIENCE) this.#ask(connection);
    else this.#askLater(connection, waitMs(RETRY, disagreements - PATIENCE, this.#ports.random));
    this.#update();
  }

  #askLater(connection: Connection, afterMs: number): void {
    this.#streams.retry(connection, afterMs, () => {
      this.#ask(connection);
      this.#update();
    });
  }

  #leave(): void {
    this.#isWanted = false;
    this.#isPaused = false;
    this.#streams.leaveAll();
  }

  #update(): void {
    const state = this.#stateNow();
    if (state === this.#state) return;
    this.#state = state;
    this.#listener.onState(state);
  }

  #stateNow(): SubscriptionState {
    if (!this.#isWanted) return "unsubscribed";
    if (this.#isPaused) return "paused";
    return this.#streams.hasLive ? "subscribed" : "subscribing";
  }
}

/** What an answer without a position would mean; a server always sends one. */
const NOWHERE: StreamPosition = { epoch: "", offset: 0, check: 0 };
