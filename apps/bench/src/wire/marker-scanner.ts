import { findMarker, isMarkerAt } from "./stamp.ts";

/** A part of a buffer. */
export interface ByteRange {
  readonly start: number;
  readonly end: number;
}

/**
 * Finds the payloads in a frame. Frames of one run look alike, so the place of the first payload and the distance to
 * the next are guessed from the last ones, and only a wrong guess costs a search.
 */
export class MarkerScanner {
  readonly #payloadBytes: number;
  #first = 0;
  #stride = 0;

  /** @param payloadBytes size of every payload: fewer bytes than that hold no other */
  constructor(payloadBytes: number) {
    this.#payloadBytes = payloadBytes;
  }

  /** Calls `found` with the place of each marker in the range; returns their number. */
  scan(bytes: Buffer, { start, end }: ByteRange, found: (at: number) => void): number {
    let count = 0;
    let last = start;
    for (let from = start; end - from >= this.#payloadBytes; from = last + this.#payloadBytes) {
      const guess = count === 0 ? start + this.#first : last + this.#stride;
      const at = guess >= from && guess < end && isMarkerAt(bytes, guess) ? guess : search(bytes, from, end);
      if (at < 0) break;
      if (count === 0) this.#first = at - start;
      else this.#stride = at - last;
      count++;
      last = at;
      found(at);
    }
    return count;
  }
}

function search(bytes: Buffer, from: number, end: number): number {
  const at = findMarker(bytes.subarray(from, end), 0);
  return at < 0 ? at : from + at;
}
