import { RecoveryMiss } from "@pm/proto";

/** Where a reader is in the log of a channel: it has seen everything up to `offset`. */
export interface StreamPosition {
  readonly epoch: string;
  /** Below 2^53; 0 is before the first publication. */
  readonly offset: number;
  /** Tag of the entry at `offset`; 0 where it is not known. */
  readonly check: number;
}

/** What a log says of itself: enough to judge any position. */
export interface LogExtent {
  readonly epoch: string;
  /** The entry just before the oldest retained one. */
  readonly base: LogMark;
  /** The newest entry; equals `base` in an empty log. */
  readonly top: LogMark;
}

/** An entry by its offset and tag. */
export interface LogMark {
  readonly offset: number;
  readonly check: number;
}

/** Whether a position can be continued, and where delivery goes on when it cannot. */
export type Continuity =
  | { readonly kind: "continues" }
  | {
      readonly kind: "missed";
      readonly miss: RecoveryMiss;
      /** How many publications are gone for this reader; 0 where nobody can know. */
      readonly missedCount: number;
      /** Delivery goes on after it. */
      readonly position: StreamPosition;
    };

const CONTINUES: Continuity = { kind: "continues" };

/**
 * Judges a position against a log: valid when the epochs are equal, base ≤ offset ≤ top and the tags agree. RETENTION
 * goes on at the oldest retained entry, everything else at the top.
 * @param checkAtOffset the tag of the log's entry at the position's offset; undefined where the log no longer knows it
 */
export function judge(position: StreamPosition, log: LogExtent, checkAtOffset: number | undefined): Continuity {
  if (position.epoch !== log.epoch) return missedAll(log, RecoveryMiss.EPOCH_CHANGED);
  if (position.offset > log.top.offset) return missedAll(log, RecoveryMiss.AHEAD);
  if (position.offset < log.base.offset) {
    return {
      kind: "missed",
      miss: RecoveryMiss.RETENTION,
      missedCount: log.base.offset - position.offset,
      position: { epoch: log.epoch, ...log.base },
    };
  }
  const agrees = checkAtOffset === undefined || tagsAgree(position.check, checkAtOffset);
  return agrees ? CONTINUES : missedAll(log, RecoveryMiss.CHECK_MISMATCH);
}

/**
 * True when a position with the tag `known` may be at the entry with this tag: a tag that is not known is not compared.
 */
export function tagsAgree(known: number, tag: number): boolean {
  return known === 0 || known === tag;
}

function missedAll(log: LogExtent, miss: RecoveryMiss): Continuity {
  return { kind: "missed", miss, missedCount: 0, position: { epoch: log.epoch, ...log.top } };
}
