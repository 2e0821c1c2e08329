/** What somebody saw at an offset; what they did not see is undefined. */
export interface Sighting {
  readonly epoch: string;
  readonly offset: number;
  /** 0: not known. */
  readonly check: number;
  readonly payloadId?: string | undefined;
  readonly messageId?: string | undefined;
  /** The tag of the entry before. */
  readonly prevCheck?: number | undefined;
}

interface Entry {
  readonly check: number;
  payloadId: string | undefined;
  messageId: string | undefined;
  prevCheck: number | undefined;
  /** Another entry at the same offset, in a log that has lost its tail. */
  readonly other: Entry | undefined;
}

interface Epoch {
  readonly entries: Map<number, Entry>;
  readonly payloads: Map<string, number>;
  topAcknowledged: number;
  /** When the last acknowledged one of its publications was asked for, at the latest. */
  lastAskedAt: number;
  mayFork: boolean;
}

/** How many epochs of a log are remembered: a reader that was away is told of all that it missed. */
const EPOCHS = 128;

/** What is known of one log from all who read and write it: whatever two of them see must be the same. */
export class LogTruth {
  readonly #remember: number;
  readonly #epochs = new Map<string, Epoch>();

  /** @param remember entries of an epoch; older ones are forgotten */
  constructor(remember: number) {
    this.#remember = remember;
  }

  /** Compares with what is known already; returns the contradiction, where there is one. */
  note(seen: Sighting): string | undefined {
    const epoch = this.#epochOf(seen.epoch);
    if (seen.check === 0) return undefined;
    const first = epoch.entries.get(seen.offset);
    const known = entryWith(seen.check, first);
    if (known !== undefined) return contradiction(known, seen);
    if (first !== undefined && !epoch.mayFork) {
      return `offset ${seen.offset} of ${seen.epoch} has the tags ${first.check} and ${seen.check}`;
    }
    const { check, payloadId, messageId, prevCheck } = seen;
    epoch.entries.set(seen.offset, { check, payloadId, messageId, prevCheck, other: first });
    this.#forgetOldest(epoch);
    return undefined;
  }

  /** The offset at which the payload was seen before in this epoch, where it is another one. */
  offsetOfPayload({ epoch: name, offset, payloadId = "" }: Sighting): number | undefined {
    const epoch = this.#epochOf(name);
    const first = epoch.payloads.get(payloadId);
    if (first === undefined) epoch.payloads.set(payloadId, offset);
    return first === undefined || first === offset || epoch.mayFork ? undefined : first;
  }

  /** True when the tag at the offset is known, and it is another one. */
  contradicts({ epoch, offset, check }: Sighting): boolean {
    const first = this.#epochs.get(epoch)?.entries.get(offset);
    return check !== 0 && first !== undefined && entryWith(check, first) === undefined;
  }

  /** The entry is in the log for good; `askedAt` counts events. */
  acknowledge({ epoch: name, offset }: Sighting, askedAt: number): void {
    const epoch = this.#epochOf(name);
    epoch.lastAskedAt = Math.max(epoch.lastAskedAt, askedAt);
    // Once a tail was lost, nobody knows which acknowledged entries went with it.
    if (!epoch.mayFork) epoch.topAcknowledged = Math.max(epoch.topAcknowledged, offset);
  }

  /** The newest entries of an epoch are gone, and others may take their offsets. */
  loseTail(name: string): void {
    const epoch = this.#epochOf(name);
    epoch.mayFork = true;
    epoch.topAcknowledged = 0;
  }

  /**
   * What a reader at this position has not been told of; undefined when there is nothing.
   * @param inEpochSince when the reader was told of its epoch
   */
  lostBehind({ epoch: name, offset }: Sighting, inEpochSince: number): string | undefined {
    const { topAcknowledged } = this.#epochOf(name);
    if (offset < topAcknowledged) return `offsets ${offset + 1} to ${topAcknowledged} of ${name} did not come`;
    // An epoch never comes back: one that was published to since is a later one.
    for (const [later, { lastAskedAt }] of this.#epochs) {
      if (later !== name && lastAskedAt > inEpochSince) return `the log went on as ${later}, the reader is in ${name}`;
    }
    return undefined;
  }

  #epochOf(name: string): Epoch {
    let epoch = this.#epochs.get(name);
    if (epoch !== undefined) return epoch;
    epoch = { entries: new Map(), payloads: new Map(), topAcknowledged: 0, lastAskedAt: 0, mayFork: false };
    this.#epochs.set(name, epoch);
    for (const oldest of this.#epochs.keys()) if (this.#epochs.size > EPOCHS) this.#epochs.delete(oldest);
    return epoch;
  }

  #forgetOldest({ entries, payloads }: Epoch): void {
    for (const offset of entries.keys()) {
      if (entries.size <= this.#remember) break;
      entries.delete(offset);
    }
    for (const payloadId of payloads.keys()) {
      if (payloads.size <= this.#remember) break;
      payloads.delete(payloadId);
    }
  }
}

function entryWith(check: number, first: Entry | undefined): Entry | undefined {
  for (let entry = first; entry !== undefined; entry = entry.other) if (entry.check === check) return entry;
  return undefined;
}

function contradiction(known: Entry, seen: Sighting): string | undefined {
  for (const field of ["payloadId", "messageId", "prevCheck"] as const) {
    if (seen[field] === undefined) continue;
    if (known[field] !== undefined && known[field] !== seen[field]) {
      return `offset ${seen.offset} of ${seen.epoch} has the ${field} ${known[field]} and ${seen[field]}`;
    }
    Object.assign(known, { [field]: seen[field] });
  }
  return undefined;
}
