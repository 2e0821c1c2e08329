import { RecoveryMiss } from "@pm/proto";
import type { StreamPosition } from "../log/stream-position.ts";
import type { LaggedEvent, PublicationEvent, SubscribedEvent } from "./history.ts";
import type { ViolationKind } from "./violation.ts";

/** What is wrong with an event, before it is known in which history. */
export interface Fault {
  readonly kind: ViolationKind;
  readonly message: string;
}

/** Offsets left out that are remembered, so that one that comes after all is known as reordered. */
const MAX_HOLES = 10_000;

/** Where one subscription of a client is in its log, by what the client has been sent. */
export class ReaderView {
  position: StreamPosition;
  /** When it was told of the epoch it is in; events are counted. */
  inEpochSince: number;
  readonly #holes = new Set<number>();

  constructor(position: StreamPosition, now: number) {
    this.position = position;
    this.inEpochSince = now;
  }

  /** Takes a delivery: it has to be the next one. */
  take({ offset, check }: PublicationEvent): Fault | undefined {
    const expected = this.position.offset + 1;
    if (offset < expected) {
      if (this.#holes.delete(offset)) return { kind: "reordered", message: `${offset} came behind ${expected - 1}` };
      return { kind: "duplicated", message: `${offset} came again, ${expected - 1} was the last` };
    }
    for (let hole = expected; hole < offset && this.#holes.size < MAX_HOLES; hole++) this.#holes.add(hole);
    this.position = { epoch: this.position.epoch, offset, check };
    return offset === expected ? undefined : { kind: "gap", message: `${offset} came, ${expected} was next` };
  }

  /** Takes a Lagged: what it says of the gap has to be so. */
  lag({ position, missedCount, reason }: LaggedEvent, now: number): Fault | undefined {
    const before = this.position;
    if (before.epoch !== position.epoch) this.inEpochSince = now;
    this.position = position;
    this.#holes.clear();
    const isCounted = reason === RecoveryMiss.RETENTION || reason === RecoveryMiss.SKIPPED;
    if (isCounted) return countFault(before, position, missedCount);
    if (reason === RecoveryMiss.UNSPECIFIED) return { kind: "missed-count", message: "Lagged gives no reason" };
    if (position.epoch === before.epoch) {
      return { kind: "gap", message: `Lagged{${missName(reason)}} does not leave the epoch ${position.epoch}` };
    }
    return missedCount === 0 ? undefined : unknowable(missedCount);
  }
}

/** What is wrong with an answer to Subscribe, whatever came before it. */
export function subscribedFault(event: SubscribedEvent): Fault | undefined {
  const { since, rewind, position, top, recovered, miss, missedCount } = event;
  if (position.epoch !== top.epoch) return recovery(`position is in ${position.epoch}, top in ${top.epoch}`);
  if (position.offset > top.offset) return recovery(`position ${position.offset} is above top ${top.offset}`);
  if (since === undefined || recovered) {
    if (miss !== RecoveryMiss.UNSPECIFIED || missedCount !== 0) return recovery("something is said to be missed");
  }
  if (since === undefined) {
    if (recovered) return recovery("recovered, and nothing was asked for");
    const least = top.offset - rewind;
    return position.offset >= least ? undefined : recovery(`position ${position.offset} is below ${least}`);
  }
  if (!recovered) return missFault(since, event);
  const isThere = position.epoch === since.epoch && position.offset === since.offset;
  return isThere ? undefined : recovery(`recovered at ${nameOf(position)}, since was ${nameOf(since)}`);
}

/** What is wrong with a Subscribed that moves nothing: it has to tell where the subscription is. */
export function currentPositionFault(view: ReaderView, { position }: SubscribedEvent): Fault | undefined {
  const { epoch, offset } = view.position;
  if (epoch === position.epoch && offset === position.offset) return undefined;
  return { kind: "gap", message: `the position is told as ${nameOf(position)}, it is ${nameOf(view.position)}` };
}

function missFault(since: StreamPosition, event: SubscribedEvent): Fault | undefined {
  const { position, top, miss, missedCount } = event;
  if (miss === RecoveryMiss.RETENTION) return countFault(since, position, missedCount);
  if (missedCount !== 0) return unknowable(missedCount);
  const isAtTop = position.offset >= top.offset - 1;
  if (!isAtTop) return recovery(`${missName(miss)} goes on at ${position.offset}, top is ${top.offset}`);
  const isSameEpoch = position.epoch === since.epoch;
  if (miss === RecoveryMiss.EPOCH_CHANGED) {
    return isSameEpoch ? recovery("the epoch is said to have changed, and has not") : undefined;
  }
  if (miss === RecoveryMiss.AHEAD) {
    return isSameEpoch && since.offset > top.offset ? undefined : recovery("since is said to be ahead, and is not");
  }
  if (miss === RecoveryMiss.CHECK_MISMATCH) {
    return isSameEpoch && since.check !== 0 ? undefined : recovery("tags are said to differ, and cannot");
  }
  return recovery(`not recovered, and the miss is ${missName(miss)}`);
}

function countFault(from: StreamPosition, to: StreamPosition, missedCount: number): Fault | undefined {
  if (to.epoch !== from.epoch)
    return { kind: "missed-count", message: `counted from ${nameOf(from)} to ${nameOf(to)}` };
  const missed = to.offset - from.offset;
  if (missed > 0 && missed === missedCount) return undefined;
  return { kind: "missed-count", message: `${missedCount} are said to be missed, it is ${missed}` };
}

function unknowable(missedCount: number): Fault {
  return { kind: "missed-count", message: `${missedCount} are said to be missed, which nobody can know` };
}

function recovery(message: string): Fault {
  return { kind: "recovery", message };
}

function missName(miss: RecoveryMiss): string {
  return Object.entries(RecoveryMiss).find(([, value]) => value === miss)?.[0] ?? String(miss);
}

function nameOf({ epoch, offset }: StreamPosition): string {
  return `${epoch}/${offset}`;
}
