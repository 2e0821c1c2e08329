import type { Publish } from "../wire/messages.ts";
import type { PendingPublish } from "./pending-publish.ts";

/**
 * Turns on their way at a time. The last publish of a turn may need a second frame, and a server closes connections
 * after five frames in a row over the rate.
 */
const MAX_TURNS = 2;
/** What a publish takes of a frame beside its payload, roughly. */
const OVERHEAD_BYTES = 200;

/** What was sent in one turn of the event loop, as far as it fits into a frame. */
interface SentTurn {
  /** Publishes without an answer. */
  open: number;
  bytes: number;
}

/**
 * Which publishes went together. A client hears that it is over the rate only after the way to the server and back, and
 * by then a busy one has sent more frames than a server forgives. So once it has heard, few frames are on their way at
 * a time: what is published meanwhile waits for an answer, and goes together.
 */
export class SentTurns {
  readonly #turns = new Set<SentTurn>();
  readonly #turnOf = new Map<PendingPublish, SentTurn>();
  #current: SentTurn | undefined;
  #isLimited = false;

  /** The server has a rate that this client exceeds. */
  limit(): void {
    this.#isLimited = true;
  }

  /** Whether one more may be sent now. */
  allows(maxFrameBytes: number): boolean {
    return !this.#isLimited || this.#turns.size < MAX_TURNS || this.#open(maxFrameBytes) !== undefined;
  }

  /** It is sent in this turn. */
  add(publish: PendingPublish, maxFrameBytes: number): void {
    const turn = this.#open(maxFrameBytes) ?? this.#begin();
    turn.open++;
    turn.bytes += sizeOf(publish.message);
    this.#turnOf.set(publish, turn);
  }

  /** It has its answer, or will have none. */
  remove(publish: PendingPublish): void {
    const turn = this.#turnOf.get(publish);
    this.#turnOf.delete(publish);
    if (turn !== undefined && --turn.open === 0) this.#turns.delete(turn);
  }

  /** The turn that one more can join. */
  #open(maxFrameBytes: number): SentTurn | undefined {
    return this.#current !== undefined && this.#current.bytes < maxFrameBytes ? this.#current : undefined;
  }

  #begin(): SentTurn {
    const turn: SentTurn = { open: 0, bytes: 0 };
    this.#current = turn;
    this.#turns.add(turn);
    queueMicrotask(() => {
      if (this.#current === turn) this.#current = undefined;
    });
    return turn;
  }
}

function sizeOf({ payload }: Publish): number {
  return OVERHEAD_BYTES + (payload?.kind?.value.length ?? 0);
}
