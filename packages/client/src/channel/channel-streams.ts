import type { Connection } from "../connection/connection.ts";
import type { OnReply, Reply } from "../connection/pending-replies.ts";
import type { CancelTimer, Clock } from "../platform/clock.ts";
import type { Randomness } from "../platform/randomness.ts";
import { waitMs } from "../reconnect/backoff.ts";
import type { ErrorMessage, StreamPosition, Subscribe } from "../wire/messages.ts";
import type { RetryTurns } from "./retry-turns.ts";

/** The delivery of one channel over one connection. Until it is `live`, what comes is discarded. */
export type Stream =
  | { readonly kind: "none" }
  | { readonly kind: "asked" }
  | { readonly kind: "retrying"; readonly cancel: CancelTimer }
  /** The server is told to end it; until it has heard that, it delivers, and counts it as a subscription. */
  | { readonly kind: "leaving"; readonly cancel: CancelTimer }
  | LiveStream;

/** A stream whose Subscribe was answered. */
export interface LiveStream {
  readonly kind: "live";
  readonly epoch: string;
  /** The end of the log when it was answered. */
  readonly top: StreamPosition;
}

/** What ChannelStreams are made of. */
export interface ChannelStreamsPorts {
  readonly clock: Clock;
  readonly random: Randomness;
  /** Of all channels together. */
  readonly turns: RetryTurns;
}

/** Called with the answer to the newest question; answers to older ones are discarded with all that came between. */
export type OnAnswer = (reply: Reply) => void;

const NONE: Stream = { kind: "none" };
const RETRY = { kind: "backoff", baseMs: 250, leastMs: 50 } as const;

/** The streams of one channel, one for each connection, from the oldest to the newest. */
export class ChannelStreams {
  readonly #channel: string;
  readonly #ports: ChannelStreamsPorts;
  readonly #streams = new Map<Connection, Stream>();

  constructor(channel: string, ports: ChannelStreamsPorts) {
    this.#channel = channel;
    this.#ports = ports;
  }

  /** The stream over a connection, when it is live. */
  live(connection: Connection): LiveStream | undefined {
    const stream = this.#streams.get(connection);
    return stream?.kind === "live" ? stream : undefined;
  }

  /** True when a connection delivers, or is asked to. */
  isWantedOn(connection: Connection): boolean {
    const kind = this.#streams.get(connection)?.kind ?? "none";
    return kind !== "none" && kind !== "leaving";
  }

  get hasLive(): boolean {
    return [...this.#streams.values()].some(({ kind }) => kind === "live");
  }

  hasOlderLive(connection: Connection): boolean {
    return this.#split(connection).older.some((older) => this.live(older) !== undefined);
  }

  hasNewerLive(connection: Connection): boolean {
    return this.#split(connection).newer.some((newer) => this.live(newer) !== undefined);
  }

  /** The newer connections whose answer is awaited. */
  newerAsked(connection: Connection): readonly Connection[] {
    return this.#split(connection).newer.filter((newer) => this.#streams.get(newer)?.kind === "asked");
  }

  ask(connection: Connection, question: Omit<Subscribe, "channel">, onAnswer: OnAnswer): void {
    this.drop(connection);
    const asked: Stream = { kind: "asked" };
    this.#streams.set(connection, asked);
    connection.send({ kind: "subscribe", value: { channel: this.#channel, ...question } }, (reply) => {
      if (this.#streams.get(connection) === asked) onAnswer(reply);
    });
  }

  /** Milliseconds to wait before what was refused, so many times before, is tried again. */
  retryAfterMs(connection: Connection, refusals: number, error?: ErrorMessage): number {
    const { random, turns } = this.#ports;
    const hintMs = error?.retryAfterMs ?? 0;
    const isOverRate = error?.code === "RATE_LIMIT_EXCEEDED";
    return Math.max(isOverRate ? turns.take(connection, hintMs) : hintMs, waitMs(RETRY, refusals, random));
  }

  /** Calls back after a while, unless the stream is dropped or asked for before. */
  retry(connection: Connection, afterMs: number, callback: () => void): void {
    this.drop(connection);
    this.#streams.set(connection, { kind: "retrying", cancel: this.#ports.clock.after(afterMs, callback) });
  }

  answered(connection: Connection, stream: LiveStream): void {
    this.#streams.set(connection, stream);
  }

  /** Takes nothing from a connection until it is asked again. */
  drop(connection: Connection): void {
    const stream = this.#streams.get(connection);
    if (stream?.kind === "retrying" || stream?.kind === "leaving") stream.cancel();
    if (stream !== undefined) this.#streams.set(connection, NONE);
  }

  dropOlder(connection: Connection): void {
    for (const older of this.#split(connection).older) this.drop(older);
  }

  /** The connection has ended. */
  forget(connection: Connection): void {
    this.drop(connection);
    this.#streams.delete(connection);
  }

  /** Ends delivery over all connections. */
  leaveAll(): void {
    // One that is asked for again may be there on the server's side still.
    for (const connection of this.#streams.keys()) if (this.isWantedOn(connection)) this.#leave(connection);
  }

  /** Ends what the server began by itself, before it is asked for. */
  unsubscribe(connection: Connection): void {
    this.#tellToEnd(connection, () => undefined);
  }

  #leave(connection: Connection, attempt = 0): void {
    this.drop(connection);
    const told: Stream = { kind: "leaving", cancel: () => undefined };
    this.#streams.set(connection, told);
    this.#tellToEnd(connection, (reply) => {
      if (this.#streams.get(connection) !== told) return;
      if (reply.kind === "refused" && reply.error.retryable) this.#leaveLater(connection, attempt, reply.error);
      else if (reply.kind === "timeout") this.#leave(connection, attempt);
      else this.drop(connection);
    });
  }

  #leaveLater(connection: Connection, attempt: number, error: ErrorMessage): void {
    const afterMs = this.retryAfterMs(connection, attempt, error);
    const cancel = this.#ports.clock.after(afterMs, () => this.#leave(connection, attempt + 1));
    this.#streams.set(connection, { kind: "leaving", cancel });
  }

  #tellToEnd(connection: Connection, onReply: OnReply): void {
    connection.send({ kind: "unsubscribe", value: { channel: this.#channel } }, onReply);
  }

  #split(connection: Connection): { readonly older: readonly Connection[]; readonly newer: readonly Connection[] } {
    const all = [...this.#streams.keys()];
    const index = all.indexOf(connection);
    return { older: all.slice(0, index), newer: all.slice(index + 1) };
  }
}
