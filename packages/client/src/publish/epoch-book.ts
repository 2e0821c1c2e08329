import type { Connection } from "../connection/connection.ts";

/** What is known of the epochs of logs: the last one of each channel, and what each connection has told. */
export class EpochBook {
  readonly #last = new Map<string, string>();
  readonly #told = new WeakMap<Connection, Map<string, string>>();

  note(channel: string, epoch: string, connection: Connection): void {
    this.#last.set(channel, epoch);
    const told = this.#told.get(connection);
    if (told === undefined) this.#told.set(connection, new Map([[channel, epoch]]));
    else told.set(channel, epoch);
  }

  /** The last epoch that was told. */
  last(channel: string): string | undefined {
    return this.#last.get(channel);
  }

  /** The epoch as it was told over this connection. */
  toldBy(channel: string, connection: Connection): string | undefined {
    return this.#told.get(connection)?.get(channel);
  }
}
