import type { HistoryEvent } from "./history.ts";

/**
 * How a promise was broken.
 * - `lost`: an acknowledged publication did not come to a reader who was to have it
 * - `duplicated`: a publication came twice
 * - `reordered`: a publication came behind one of a higher offset
 * - `foreign`: a publication of another tenant or channel, or of nobody
 * - `gap`: offsets were left out and nobody said so
 * - `missed-count`: what was said of a gap is not true
 * - `recovery`: a Subscribed that does not fit to what was asked, or to the log
 * - `forked`: two different publications have one position
 * - `unasked`: something came for a channel that is not subscribed to
 */
export type ViolationKind =
  | "lost"
  | "duplicated"
  | "reordered"
  | "foreign"
  | "gap"
  | "missed-count"
  | "recovery"
  | "forked"
  | "unasked";

/** A broken promise and how it came to it. */
export interface Violation {
  readonly kind: ViolationKind;
  readonly reader: string;
  readonly message: string;
  /** What the reader did and saw last, the broken promise at the end. */
  readonly trail: readonly HistoryEvent[];
}
