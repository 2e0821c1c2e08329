import type { Channel, Publication, StreamPosition } from "@pm/client";
import type { Board } from "../board/board.ts";
import { dataOf, type IssuedCommand, parseCommand } from "../board/board-command.ts";
import {
  applyEntry,
  type BoardEntry,
  type BoardState,
  emptyLog,
  isEnough,
  restore,
  SNAPSHOT,
  SNAPSHOT_EVERY,
} from "../board/board-state.ts";
import type { DeliveredEntry } from "./reader-protocol.ts";

/** What a BoardFeed tells. */
export interface BoardFeedListener {
  onEntry(entry: DeliveredEntry, state: BoardState): void;
  onRestored(epoch: string, state: BoardState): void;
  onError(error: unknown): void;
}

/**
 * The board of a tenant, kept from the log of its channel: read once from the newest snapshot on, then publication by
 * publication. After a miss it is read again.
 */
export class BoardFeed {
  readonly #channel: Channel;
  readonly #seed: Board;
  readonly #listener: BoardFeedListener;
  #state: BoardState;
  /** What is delivered while the log is read; undefined when it is not. */
  #waiting: DeliveredEntry[] | undefined = [];
  #restoration = 0;
  readonly #own = new Set<string>();
  #isSnapshotting = false;

  constructor(channel: Channel, seed: Board, listener: BoardFeedListener) {
    this.#channel = channel;
    this.#seed = seed;
    this.#listener = listener;
    this.#state = emptyLog(seed);
  }

  /** Subscribes, and reads the board. */
  async start(): Promise<void> {
    this.#channel.on("publication", (publication) => this.#onPublication(publication));
    for (const miss of ["missed", "lagged"] as const) this.#channel.on(miss, () => void this.#restore());
    await this.#channel.subscribe();
    await this.#restore();
  }

  /** Publishes a command; resolves with its offset. */
  async publish(issued: IssuedCommand): Promise<number> {
    this.#own.add(issued.id);
    try {
      const { position } = await this.#channel.publish(dataOf(issued), {
        event: issued.command.kind,
        idempotencyKey: issued.id,
      });
      return position.offset;
    } catch (error) {
      this.#own.delete(issued.id);
      throw error;
    }
  }

  #onPublication({ position, event, data, publisher, publishedAtMs }: Publication): void {
    const { epoch, offset } = position;
    const entry = { epoch, offset, event, data, publisher, publishedAtMs };
    if (this.#waiting === undefined) this.#apply(entry);
    else this.#waiting.push(entry);
  }

  #apply(entry: DeliveredEntry): void {
    this.#state = applyEntry(this.#state, entry);
    this.#listener.onEntry(entry, this.#state);
    const issued = parseCommand(entry.event, entry.data);
    if (issued !== undefined && this.#own.delete(issued.id)) void this.#publishSnapshot();
  }

  /**
   * Whoever gave the command after which it is due writes the next snapshot, so that most of the time only one does.
   */
  async #publishSnapshot(): Promise<void> {
    const { board, offset: at, snapshotAt } = this.#state;
    if (this.#isSnapshotting || at - snapshotAt < SNAPSHOT_EVERY) return;
    this.#isSnapshotting = true;
    try {
      await this.#channel.publish({ at, board }, { event: SNAPSHOT });
    } catch {
      // It is only a shorter way to read the log: the next command that is due tries again.
    } finally {
      this.#isSnapshotting = false;
    }
  }

  async #restore(): Promise<void> {
    const restoration = ++this.#restoration;
    this.#waiting = [];
    try {
      const { entries, top } = await this.#readBack();
      if (restoration === this.#restoration) this.#begin(entries, top);
    } catch (error) {
      if (restoration === this.#restoration) this.#listener.onError(error);
    }
  }

  #begin(entries: readonly BoardEntry[], top: StreamPosition): void {
    const waiting = this.#waiting ?? [];
    this.#waiting = undefined;
    this.#state = { ...restore(this.#seed, entries), offset: top.offset };
    this.#listener.onRestored(top.epoch, this.#state);
    for (const entry of waiting) if (entry.epoch === top.epoch && entry.offset > top.offset) this.#apply(entry);
  }

  /** The newest entries, as far back as the board needs. */
  async #readBack(): Promise<{ readonly entries: readonly BoardEntry[]; readonly top: StreamPosition }> {
    const entries: BoardEntry[] = [];
    let top: StreamPosition | undefined;
    let since: StreamPosition | undefined;
    for (;;) {
      const page = await this.#channel.history({ backward: true, since });
      top ??= page.top;
      for (const { position, event, data } of page.publications) entries.push({ offset: position.offset, event, data });
      if (!page.hasMore || page.publications.length === 0 || isEnough(entries)) return { entries, top };
      since = page.position;
    }
  }
}
