import type { StreamPosition } from "../wire/messages.ts";

/** The part of a publication that the cursor is held against. */
export interface Offered {
  readonly offset: number;
  readonly check: number;
}

/** What becomes of a publication. */
export type CursorVerdict =
  | { readonly kind: "accept"; readonly cursor: StreamPosition }
  | { readonly kind: "drop" }
  /** The client and the server disagree. */
  | { readonly kind: "resubscribe" };

/**
 * The rule by which nothing comes twice and nothing is missed unnoticed: the next offset is accepted, what was seen is
 * dropped, and a gap, or another tag at the cursor, makes the client subscribe again from where it is.
 */
export function judgePublication(cursor: StreamPosition, { offset, check }: Offered): CursorVerdict {
  if (offset === cursor.offset + 1) return { kind: "accept", cursor: { epoch: cursor.epoch, offset, check } };
  const isOther = offset === cursor.offset && cursor.check !== 0 && check !== cursor.check;
  return offset > cursor.offset || isOther ? { kind: "resubscribe" } : { kind: "drop" };
}

/** True when a reader at `cursor` has everything up to `position`, or nothing in common with it. */
export function hasReached(cursor: StreamPosition, position: StreamPosition): boolean {
  return cursor.epoch !== position.epoch || cursor.offset >= position.offset;
}
