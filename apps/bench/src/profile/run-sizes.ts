import type { WindowPlan } from "../generator/generator-protocol.ts";

/** How large the runs are. */
export interface RunSizes {
  readonly window: WindowPlan;
  /**
   * Warming of the profiles with many channels, whose logs have to be as full as they are on a server that has run, and
   * of those that look at the slowest deliveries: V8 has to have compiled what they need.
   */
  readonly fillSecs: number;
  /** Of the fan-out profiles, and of those that flood and stall. */
  readonly subscribers: number;
  /** Of the small-channels profile; each has two subscribers. */
  readonly smallChannels: number;
  readonly echoConnections: number;
  readonly handshakes: number;
  readonly idleConnections: number;
  /** Time that a server gets to come to rest before its memory is read. */
  readonly settleSecs: number;
  /** The two numbers of idle connections between which the cost of a message is compared. */
  readonly scaling: readonly [number, number];
  readonly slowReaders: SlowReaderSizes;
  readonly fairnessSecs: number;
  readonly flushDelay: FlushDelaySizes;
}

/** Times of the profile with stalled readers. */
export interface SlowReaderSizes {
  /** Measured before and after some stop reading. */
  readonly secs: number;
  /** From the stall on, for as much as the server sends: the kernel takes megabytes for each before the server notices. */
  readonly stallSecs: number;
}

/** Every delay is measured at every rate. */
export interface FlushDelaySizes {
  /** Publications a second. */
  readonly ratesPerSec: readonly number[];
  /** Milliseconds; 0 is what the others are compared with. */
  readonly delaysMs: readonly number[];
}

/** What is measured for the record. */
export const FULL_SIZES: RunSizes = {
  window: { warmSecs: 1.2, secs: 2.5 },
  fillSecs: 14,
  subscribers: 1000,
  smallChannels: 1000,
  echoConnections: 200,
  handshakes: 10_000,
  idleConnections: 10_000,
  settleSecs: 3,
  scaling: [1_000, 10_000],
  slowReaders: { secs: 8, stallSecs: 5 },
  fairnessSecs: 10,
  flushDelay: { ratesPerSec: [50, 200, 500, 1000], delaysMs: [0, 5, 20, 50] },
};

/** A minute for everything; good for a glance. */
export const QUICK_SIZES: RunSizes = {
  window: { warmSecs: 0.3, secs: 0.4 },
  fillSecs: 0.3,
  subscribers: 1000,
  smallChannels: 1000,
  echoConnections: 200,
  handshakes: 1_000,
  idleConnections: 1_500,
  settleSecs: 0.3,
  scaling: [100, 1_000],
  slowReaders: { secs: 0.6, stallSecs: 0.5 },
  fairnessSecs: 0.6,
  flushDelay: { ratesPerSec: [200], delaysMs: [0, 20] },
};

/** Shows that everything works, and nothing about speed. */
export const TINY_SIZES: RunSizes = {
  window: { warmSecs: 0.1, secs: 0.2 },
  fillSecs: 0.1,
  subscribers: 20,
  smallChannels: 20,
  echoConnections: 5,
  handshakes: 30,
  idleConnections: 150,
  settleSecs: 0.1,
  scaling: [10, 50],
  slowReaders: { secs: 0.3, stallSecs: 0.1 },
  fairnessSecs: 0.3,
  flushDelay: { ratesPerSec: [100], delaysMs: [0, 20] },
};
