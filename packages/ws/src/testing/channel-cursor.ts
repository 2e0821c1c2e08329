import type { StreamPosition } from "../log/stream-position.ts";

/** What a client does with a publication. */
export type CursorVerdict = "accept" | "drop" | "resubscribe";

/**
 * The rule by which a client takes every publication once: offset = cursor + 1 is accepted, an older one is dropped
 * unless its tag differs at the cursor, for anything else the client subscribes again from its cursor. Only publications,
 * Lagged and Subscribed move it, and while a Subscribe waits for its answer publications are discarded.
 */
export class ChannelCursor {
  #position: StreamPosition | undefined;
  #asking = 0;

  /** Where the client is; undefined before the first Subscribed. */
  get position(): StreamPosition | undefined {
    return this.#position;
  }

  /** A Subscribe was sent. */
  ask(): void {
    this.#asking++;
  }

  /** The Subscribe was refused, or its connection ended. */
  giveUp(): void {
    this.#asking = Math.max(0, this.#asking - 1);
  }

  /** A Subscribe was answered, or the server said where it goes on. */
  moveTo(position: StreamPosition): void {
    this.#asking = Math.max(0, this.#asking - 1);
    this.#position = position;
  }

  /** Lagged: delivery goes on after this position. */
  lag(position: StreamPosition): void {
    if (this.#asking === 0) this.#position = position;
  }

  take({ offset, check }: { readonly offset: number; readonly check: number }): CursorVerdict {
    const cursor = this.#position;
    if (this.#asking > 0 || cursor === undefined) return "drop";
    if (offset === cursor.offset + 1) {
      this.#position = { epoch: cursor.epoch, offset, check };
      return "accept";
    }
    if (offset > cursor.offset) return "resubscribe";
    const differs = offset === cursor.offset && cursor.check !== 0 && check !== cursor.check;
    return differs ? "resubscribe" : "drop";
  }
}
