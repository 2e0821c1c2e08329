import type { Connection } from "../connection/connection.ts";
import type { Reply } from "../connection/pending-replies.ts";
import { PmClientError } from "../pm-client-error.ts";
import type { HistoryPageMessage, ReadHistory } from "../wire/messages.ts";

interface PendingRead {
  readonly question: ReadHistory;
  readonly resolve: (page: HistoryPageMessage) => void;
  readonly reject: (error: PmClientError) => void;
}

/** Reads pages of logs. What was not answered when a connection ended is asked again on the next. */
export class HistoryReader {
  readonly #waiting = new Set<PendingRead>();
  #connection: Connection | undefined;

  read(question: ReadHistory): Promise<HistoryPageMessage> {
    return new Promise((resolve, reject) => {
      const read: PendingRead = { question, resolve, reject };
      this.#waiting.add(read);
      if (this.#connection !== undefined) this.#send(this.#connection, read);
    });
  }

  /** Commands go over this connection from now on. */
  serve(connection: Connection): void {
    this.#connection = connection;
    for (const read of this.#waiting) this.#send(connection, read);
  }

  leave(connection: Connection): void {
    if (this.#connection === connection) this.#connection = undefined;
  }

  /** Rejects everything that waits. */
  close(error: PmClientError): void {
    for (const { reject } of this.#waiting) reject(error);
    this.#waiting.clear();
  }

  #send(connection: Connection, read: PendingRead): void {
    connection.send({ kind: "readHistory", value: read.question }, (reply) => this.#onReply(read, reply));
  }

  #onReply(read: PendingRead, reply: Reply): void {
    if (reply.kind === "lost") return;
    this.#waiting.delete(read);
    if (reply.kind === "answer" && reply.body?.kind === "historyPage") read.resolve(reply.body.value);
    else if (reply.kind === "refused") read.reject(PmClientError.fromServer(reply.error));
    else if (reply.kind === "timeout") read.reject(PmClientError.timeout("ReadHistory", reply.afterMs));
    else read.reject(new PmClientError("INTERNAL_ERROR", "the answer to ReadHistory is not known here"));
  }
}
