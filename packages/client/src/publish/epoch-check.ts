import { CloseCode } from "@pm/proto";
import type { Connection } from "../connection/connection.ts";
import type { ErrorMessage } from "../wire/messages.ts";
import { EpochBook } from "./epoch-book.ts";

/** What an EpochCheck is made of. */
export interface EpochCheckPorts {
  /** True for a channel whose subscription will tell the epoch over each connection that joins. */
  readonly isReading: (channel: string) => boolean;
  /** The epoch that the log has now; undefined when nobody tells it. */
  readonly onChecked: (channel: string, epoch: string | undefined) => void;
  /** A question was answered; with the error when the server could not say now, and has to be asked again. */
  readonly onAnswer: (error: ErrorMessage | undefined) => void;
}

/** Finds out which epoch logs have, over the connection that serves, before anything is sent to them again. */
export class EpochCheck {
  readonly #ports: EpochCheckPorts;
  readonly #book = new EpochBook();
  readonly #channels = new Set<string>();
  /** Those of which the server is being asked. */
  readonly #asked = new Set<string>();
  #connection: Connection | undefined;

  constructor(ports: EpochCheckPorts) {
    this.#ports = ports;
  }

  /** The channels that are being checked. */
  get channels(): ReadonlySet<string> {
    return this.#channels;
  }

  /** Questions on their way. */
  get askedCount(): number {
    return this.#asked.size;
  }

  /** The last epoch that was told of a log. */
  last(channel: string): string | undefined {
    return this.#book.last(channel);
  }

  /** Checks these channels, and those that have not been checked yet. */
  begin(channels: Iterable<string>, connection: Connection): void {
    this.#connection = connection;
    for (const channel of channels) this.#channels.add(channel);
    for (const channel of this.#channels) this.#check(channel);
  }

  /** The connection has ended: nothing is checked until the next `begin`. */
  end(): void {
    this.#connection = undefined;
    this.#channels.clear();
    this.#asked.clear();
  }

  /** Asks the server of the next channel whose epoch nothing else will tell. False when there is none. */
  askNext(): boolean {
    const connection = this.#connection;
    if (connection === undefined) return false;
    const next = [...this.#channels].find((channel) => this.#hasToAsk(connection, channel));
    if (next === undefined) return false;
    this.#asked.add(next);
    this.#ask(connection, next);
    return true;
  }

  /** The epoch of a log was told over a connection. */
  note(channel: string, epoch: string, connection: Connection): void {
    this.#book.note(channel, epoch, connection);
    if (connection === this.#connection && this.#channels.has(channel)) this.#done(channel, epoch);
  }

  /** The subscription of a channel begins or ends: what tells the epoch may be another. */
  onReadingChanged(channel: string): void {
    if (this.#channels.has(channel)) this.#check(channel);
  }

  #hasToAsk(connection: Connection, channel: string): boolean {
    const isTold = this.#book.toldBy(channel, connection) !== undefined;
    return !isTold && !this.#asked.has(channel) && !this.#ports.isReading(channel);
  }

  #check(channel: string): void {
    const told = this.#connection === undefined ? undefined : this.#book.toldBy(channel, this.#connection);
    if (told !== undefined) this.#done(channel, told);
  }

  /** Asks for the end of the log. */
  #ask(connection: Connection, channel: string): void {
    connection.send({ kind: "readHistory", value: { channel, limit: 1, backward: true } }, (reply) => {
      if (connection !== this.#connection || reply.kind === "lost") return;
      this.#asked.delete(channel);
      if (reply.kind === "timeout") {
        connection.fail(CloseCode.ABNORMAL, `no answer to ReadHistory within ${reply.afterMs} ms`);
        return;
      }
      const refusal = reply.kind === "refused" && reply.error.retryable ? reply.error : undefined;
      this.#ports.onAnswer(refusal);
      const page = reply.kind === "answer" && reply.body?.kind === "historyPage" ? reply.body.value : undefined;
      if (page?.top !== undefined) this.note(channel, page.top.epoch, connection);
      else if (refusal === undefined && this.#channels.has(channel)) this.#done(channel, undefined);
    });
  }

  #done(channel: string, epoch: string | undefined): void {
    this.#channels.delete(channel);
    this.#ports.onChecked(channel, epoch);
  }
}
