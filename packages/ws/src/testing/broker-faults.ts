/** How often what goes wrong: shares of the calls, from 0 to 1. */
export interface BrokerFaults {
  /** Notices that never come. */
  readonly dropNotices: number;
  /** Notices that come twice. */
  readonly duplicateNotices: number;
  /** Notices that come late, and so behind later ones. */
  readonly delayNotices: number;
  /** Notices beside which the listener is told, for nothing, that entries may have been missed. */
  readonly interrupt: number;
  /** Reads that take time: before the log is read, or after, so that the page is out of date. */
  readonly delayReads: number;
  /** Appends that take time, before or after. Their order stays. */
  readonly delayAppends: number;
  /** Reads, subscriptions and renewals that fail with UNAVAILABLE. */
  readonly failReads: number;
  /** Appends that fail with UNAVAILABLE: half of them are in the log all the same. */
  readonly failAppends: number;
  /** The longest delay, in milliseconds. */
  readonly maxDelayMs: number;
}

/** Nothing goes wrong. */
export const NO_FAULTS: BrokerFaults = {
  dropNotices: 0,
  duplicateNotices: 0,
  delayNotices: 0,
  interrupt: 0,
  delayReads: 0,
  delayAppends: 0,
  failReads: 0,
  failAppends: 0,
  maxDelayMs: 20,
};
