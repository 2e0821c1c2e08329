import { CloseCode } from "@pm/proto";
import type { Connection } from "../connection/connection.ts";
import type { Reply } from "../connection/pending-replies.ts";
import { SendPace } from "../connection/send-pace.ts";
import { isOverRate } from "../connection/server-hints.ts";
import { PmClientError } from "../pm-client-error.ts";
import type { Clock } from "../platform/clock.ts";
import type { Randomness } from "../platform/randomness.ts";
import type { ErrorMessage, Publish, Published } from "../wire/messages.ts";
import { EpochCheck } from "./epoch-check.ts";
import { PendingPublish, type PublishResult } from "./pending-publish.ts";
import { PublishQueue } from "./publish-queue.ts";
import { SentTurns } from "./sent-turns.ts";

/** What a Publisher is made of. */
export interface PublisherPorts {
  readonly clock: Clock;
  readonly random: Randomness;
  /** Publishes without an answer that there may be. */
  readonly maxPending: number;
  /** Milliseconds that a publish waits to be sent for the first time. */
  readonly maxWaitMs: number;
  /** True for a channel whose subscription will tell the epoch over each connection that joins. */
  readonly isReading: (channel: string) => boolean;
}

/** The part of the idempotency window in which a publish is sent again; the rest is for the way to the server. */
const WINDOW_PART = 0.9;

/**
 * Publishes, over whichever connection serves. What is not answered when a connection ends is sent again with its key,
 * as long as the idempotency window and the epoch of the log hold; after that its outcome is unknown.
 */
export class Publisher {
  readonly #ports: PublisherPorts;
  readonly #queue: PublishQueue;
  readonly #epochs: EpochCheck;
  readonly #pace: SendPace;
  readonly #turns = new SentTurns();
  #connection: Connection | undefined;
  #onSettled: (() => void) | undefined;

  constructor(ports: PublisherPorts) {
    this.#ports = ports;
    const { clock, random } = ports;
    this.#queue = new PublishQueue(ports.maxPending);
    this.#pace = new SendPace({ clock, random, onResume: () => this.#proceed() });
    this.#epochs = new EpochCheck({
      isReading: ports.isReading,
      onChecked: (channel, epoch) => this.#onEpochChecked(channel, epoch),
      onAnswer: (error) => {
        if (error === undefined) this.#pace.noteSuccess();
        else this.#slowDown(error);
      },
    });
  }

  /** Publishes now or as soon as there is a connection. */
  publish(message: Publish): Promise<PublishResult> {
    const { maxWaitMs, clock } = this.#ports;
    return new Promise((resolve, reject) => {
      const order = this.#queue.nextOrder();
      const onLate = (publish: PendingPublish): void => {
        if (!this.#queue.isSent(publish)) this.#reject(publish, publish.lateError);
      };
      this.#queue.add(new PendingPublish({ order, message, maxWaitMs, resolve, reject, onLate }, clock));
      this.#pump();
    });
  }

  /** Commands go over this connection from now on. */
  serve(connection: Connection): void {
    this.#connection = connection;
    this.#proceed();
  }

  /** The connection has ended; what was on its way has been lost already. */
  leave(connection: Connection): void {
    if (this.#connection !== connection) return;
    this.#connection = undefined;
    this.#epochs.end();
    this.#pace.reset();
  }

  /** Sends nothing more, and calls back when everything on its way has its answer. */
  hold(onSettled: () => void): void {
    this.#onSettled = onSettled;
    this.#checkSettled();
  }

  /** Ends `hold`. */
  release(): void {
    this.#onSettled = undefined;
    this.#pump();
  }

  /** The epoch of a log, told over a connection. */
  onEpoch(channel: string, epoch: string, connection: Connection): void {
    this.#epochs.note(channel, epoch, connection);
  }

  /** The subscription of a channel begins or ends: what tells the epoch may be another. */
  onReadingChanged(channel: string): void {
    this.#epochs.onReadingChanged(channel);
    this.#pump();
  }

  /** Rejects everything: with `error` what was never sent. */
  close(error: PmClientError): void {
    for (const publish of this.#queue.all()) {
      const wasSent = publish.isOpen || this.#queue.isSent(publish);
      this.#reject(publish, wasSent ? PmClientError.outcomeUnknown(error.message) : error);
    }
  }

  #pump(): void {
    const connection = this.#connection;
    if (connection === undefined || connection.isEnded || this.#onSettled !== undefined) return;
    while (this.#pace.allows(this.#queue.sentCount + this.#epochs.askedCount)) {
      if (this.#epochs.askNext()) continue;
      if (!this.#turns.allows(connection.limits.maxFrameBytes)) return;
      const publish = this.#queue.take(this.#epochs.channels);
      if (publish === undefined) return;
      // Timers may be late, those of a page in the background by a minute.
      if (publish.isLate) this.#reject(publish, publish.lateError);
      else this.#send(connection, publish);
    }
  }

  #send(connection: Connection, publish: PendingPublish): void {
    publish.epoch ??= this.#epochs.last(publish.message.channel);
    publish.noteSent();
    this.#turns.add(publish, connection.limits.maxFrameBytes);
    connection.send({ kind: "publish", value: publish.message }, (reply) => this.#onReply(connection, publish, reply));
  }

  #onReply(connection: Connection, publish: PendingPublish, reply: Reply): void {
    this.#turns.remove(publish);
    if (!this.#queue.isSent(publish)) return;
    switch (reply.kind) {
      case "answer":
        if (reply.body?.kind === "published") this.#resolve(connection, publish, reply.body.value);
        else this.#reject(publish, PmClientError.outcomeUnknown("the answer is not known here"));
        break;
      case "refused":
        this.#onRefused(connection, publish, reply.error);
        break;
      case "lost":
        if (reply.code === CloseCode.TOO_BIG) this.#reject(publish, PmClientError.outcomeUnknown("closed as too big"));
        else this.#putBackOpen(connection, publish);
        break;
      case "timeout":
        // A server that answers nothing, or a network that is silent: another connection may bring the answer.
        this.#putBackOpen(connection, publish);
        connection.fail(CloseCode.ABNORMAL, `no answer to Publish within ${reply.afterMs} ms`);
        break;
      default:
        reply satisfies never;
    }
    this.#checkSettled();
    this.#pump();
  }

  #onRefused(connection: Connection, publish: PendingPublish, error: ErrorMessage): void {
    const { code } = error;
    if (code === "UNAVAILABLE" || code === "CONNECTION_CLOSED") {
      this.#putBackOpen(connection, publish);
      this.#slowDown(error);
    } else if (isOverRate(error)) {
      this.#turns.limit();
      this.#putBack(publish);
      this.#slowDown(error);
    } else {
      this.#reject(publish, refusalOf(publish, PmClientError.fromServer(error)));
    }
  }

  /** What was refused now is sent again later. */
  #slowDown({ code, retryAfterMs }: ErrorMessage): void {
    if (code === "RATE_LIMIT_EXCEEDED") this.#pace.pauseFor(retryAfterMs);
    else this.#pace.backOff(retryAfterMs);
  }

  /** It may be in the log or not: its channel waits until the epoch is known. */
  #putBackOpen({ limits }: Connection, publish: PendingPublish): void {
    publish.epoch ??= this.#epochs.last(publish.message.channel);
    publish.open(limits.idempotencyWindowMs * WINDOW_PART);
    this.#putBack(publish);
  }

  #putBack(publish: PendingPublish): void {
    this.#queue.putBack(publish);
    if (publish.isLate) this.#reject(publish, publish.lateError);
  }

  /** Sends what waits; where something is open, the epoch is checked before anything more goes to its channel. */
  #proceed(): void {
    if (this.#connection === undefined) return;
    this.#epochs.begin(new Set(this.#queue.open().map(({ message }) => message.channel)), this.#connection);
    this.#pump();
  }

  /** What was sent under another epoch, or under one that nobody knows, is not sent again. */
  #onEpochChecked(channel: string, epoch: string | undefined): void {
    for (const publish of this.#queue.open()) {
      if (publish.message.channel !== channel || (epoch !== undefined && publish.epoch === epoch)) continue;
      const why = epoch === undefined ? "the epoch of the log cannot be read" : "the log has begun anew, or may have";
      this.#reject(publish, PmClientError.outcomeUnknown(why));
    }
    this.#pump();
  }

  #resolve(connection: Connection, publish: PendingPublish, { position, messageId, duplicate }: Published): void {
    this.#pace.noteSuccess();
    if (position === undefined) {
      this.#reject(publish, PmClientError.outcomeUnknown("the answer has no position"));
      return;
    }
    this.#queue.remove(publish);
    this.#epochs.note(publish.message.channel, position.epoch, connection);
    publish.resolve({ position, messageId, isDuplicate: duplicate });
  }

  #reject(publish: PendingPublish, error: PmClientError): void {
    this.#queue.remove(publish);
    publish.reject(error);
  }

  #checkSettled(): void {
    if (this.#queue.sentCount === 0) this.#onSettled?.();
  }
}

/** A refusal says that this try is not in the log; of an earlier one whose answer was lost it says nothing. */
function refusalOf({ isOpen }: PendingPublish, refusal: PmClientError): PmClientError {
  return isOpen
    ? PmClientError.outcomeUnknown(`it was refused when it was sent again: ${refusal.code}`, refusal)
    : refusal;
}
