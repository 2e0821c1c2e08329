import type { Connection } from "../connection/connection.ts";
import type { Reply } from "../connection/pending-replies.ts";
import { SendPace } from "../connection/send-pace.ts";
import { isOverRate } from "../connection/server-hints.ts";
import type { Clock } from "../platform/clock.ts";
import type { Randomness } from "../platform/randomness.ts";
import { PmClientError } from "../pm-client-error.ts";
import type { ErrorMessage, HistoryPageMessage, ReadHistory } from "../wire/messages.ts";

/** Milliseconds after which a page is not waited for any longer when the server has no room. */
const MAX_WAIT_MS = 30_000;

interface PendingRead {
  readonly question: ReadHistory;
  readonly sinceMs: number;
  readonly resolve: (page: HistoryPageMessage) => void;
  readonly reject: (error: PmClientError) => void;
}

/**
 * Reads pages of logs. What was not answered when a connection ended is asked again on the next, and what was refused
 * over the server's rate when that has room, for half a minute.
 */
export class HistoryReader {
  readonly #waiting = new Set<PendingRead>();
  /** Those of the waiting that are on their way over the connection. */
  readonly #sent = new Set<PendingRead>();
  readonly #clock: Clock;
  readonly #pace: SendPace;
  #connection: Connection | undefined;

  constructor(ports: { readonly clock: Clock; readonly random: Randomness }) {
    this.#clock = ports.clock;
    this.#pace = new SendPace({ ...ports, onResume: () => this.#pump() });
  }

  read(question: ReadHistory): Promise<HistoryPageMessage> {
    return new Promise((resolve, reject) => {
      this.#waiting.add({ question, sinceMs: this.#clock.monotonic(), resolve, reject });
      this.#pump();
    });
  }

  /** Commands go over this connection from now on. */
  serve(connection: Connection): void {
    this.#connection = connection;
    this.#sent.clear();
    // The limit is one of each connection.
    this.#pace.reset();
    this.#pump();
  }

  leave(connection: Connection): void {
    if (this.#connection === connection) this.#connection = undefined;
  }

  /** Rejects everything that waits. */
  close(error: PmClientError): void {
    this.#pace.reset();
    for (const { reject } of this.#waiting) reject(error);
    this.#waiting.clear();
    this.#sent.clear();
  }

  #pump(): void {
    const connection = this.#connection;
    if (connection === undefined) return;
    for (const read of this.#waiting) {
      if (!this.#pace.allows(this.#sent.size)) return;
      if (this.#sent.has(read)) continue;
      this.#sent.add(read);
      connection.send({ kind: "readHistory", value: read.question }, (reply) => this.#onReply(read, reply));
    }
  }

  #onReply(read: PendingRead, reply: Reply): void {
    if (reply.kind === "lost") return;
    this.#sent.delete(read);
    if (reply.kind === "refused" && isOverRate(reply.error)) {
      this.#pace.pauseFor(reply.error.retryAfterMs);
      this.#giveUp(reply.error);
      return;
    }
    this.#waiting.delete(read);
    if (reply.kind === "answer" && reply.body?.kind === "historyPage") read.resolve(reply.body.value);
    else if (reply.kind === "refused") read.reject(PmClientError.fromServer(reply.error));
    else if (reply.kind === "timeout") read.reject(PmClientError.timeout("ReadHistory", reply.afterMs));
    else read.reject(new PmClientError("INTERNAL_ERROR", "the answer to ReadHistory is not known here"));
    if (reply.kind === "answer") this.#pace.noteSuccess();
    this.#pump();
  }

  /** Rejects those that have waited for too long. */
  #giveUp(error: ErrorMessage): void {
    const latestMs = this.#clock.monotonic() - MAX_WAIT_MS;
    for (const read of this.#waiting) {
      if (read.sinceMs > latestMs) return;
      this.#waiting.delete(read);
      this.#sent.delete(read);
      read.reject(PmClientError.fromServer(error));
    }
  }
}
