import type { StreamPosition } from "../log/stream-position.ts";

/** What a client does with a publication. */
export type CursorVerdict = "accept" | "drop" | "resubscribe";

/**
 * The rule by which a client takes every publication once: offset = cursor + 1 is accepted, an older one is dropped
 * unless its tag differs at the cursor, for anything else the client subscribes again from its cursor. Only
 * publications, Lagged and Subscribed move it. While a Subscribe waits for its answer publications are discarded; where
 * it is refused after that, the client has to ask again.
 */
export class ChannelCursor {
  #position: StreamPosition | undefined;
  #asking = 0;
  #discarded = false;

  /** Where the client is; undefined before the first Subscribed. */
  get position(): StreamPosition | undefined {
    return this.#position;
  }

  /** A Subscribe was sent. */
  ask(): void {
    this.#asking++;
  }

  /**
   * The Subscribe was refused, or its connection ended. True: what was discarded meanwhile has to be asked for again.
   */
  giveUp(): boolean {
    this.#asking = Math.max(0, this.#asking - 1);
    return this.#asking === 0 && this.#discarded;
  }

  /** A Subscribe was answered, or the server said where it goes on. */
  moveTo(position: StreamPosition): void {
    this.#asking = Math.max(0, this.#asking - 1);
    if (this.#asking === 0) this.#discarded = false;
    this.#position = position;
  }

  /** Lagged: delivery goes on after this position. */
  lag(position: StreamPosition): void {
    if (this.#asking > 0) this.#discarded = true;
    else this.#position = position;
  }

  take({ offset, check }: { readonly offset: number; readonly check: number }): CursorVerdict {
    const cursor = this.#position;
    if (this.#asking > 0) this.#discarded = true;
    if (this.#asking > 0 || cursor === undefined) return "drop";
    if (offset === cursor.offset + 1) {
      this.#position = { epoch: cursor.epoch, offset, check };
      return "accept";
    }
    const differs = offset === cursor.offset && cursor.check !== 0 && check !== cursor.check;
    if (offset <= cursor.offset && !differs) return "drop";
    this.#discarded = true;
    return "resubscribe";
  }
}
