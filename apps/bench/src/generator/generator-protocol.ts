import type { ServerKind } from "../dialect/dialect.ts";
import type { LatencySummary } from "../statistics/latency-histogram.ts";

/** What a generator works against; given to it once. */
export interface GeneratorSetup {
  readonly server: ServerKind;
  readonly port: number;
  /** The process whose CPU time is read. */
  readonly pid: number;
  readonly payloadBytes: number;
  readonly manner: GeneratorManner;
}

/**
 * What a generator does while there is nothing to do. `spins`: it looks again, so that waking it never costs the server
 * anything. `sleeps`: it waits. `yields`: it waits, and lets other threads on its core go first at all times.
 */
export type GeneratorManner = "spins" | "sleeps" | "yields";

/** Connections to be opened. The n-th subscriber reads channel `firstChannel + n % channels`. */
export interface ConnectionPlan {
  readonly role: "subscriber" | "publisher";
  readonly count: number;
  readonly channels: number;
  readonly firstChannel: number;
  /** Used in turn; empty for servers that need none. */
  readonly tokens: readonly string[];
  /** Source addresses 127.0.0.1 and on, used in turn. */
  readonly sources: number;
}

/** Times of a measurement. */
export interface WindowPlan {
  /** The load runs this long before anything is counted. */
  readonly warmSecs: number;
  readonly secs: number;
}

/** Publications from the publishers to channels 0 and on, in turn. */
export interface PublishPlan extends WindowPlan {
  readonly channels: number;
  /** Subscribers of each channel that read. */
  readonly fanOut: number;
  readonly pace: Pace;
  /** Every n-th delivery is timed. */
  readonly sampleEvery: number;
}

/** When the next publication goes out. */
export type Pace =
  /** As soon as fewer than this many are under way to their subscribers. */
  | { readonly kind: "outstanding"; readonly count: number }
  /** So many a second, whatever becomes of them. */
  | { readonly kind: "rate"; readonly perSec: number }
  /** As soon as the sockets take it, whatever becomes of them. */
  | { readonly kind: "flood" };

/** Handshakes, so many at a time. */
export interface HandshakePlan {
  readonly warmCount: number;
  readonly count: number;
  readonly concurrency: number;
  readonly tokens: readonly string[];
  readonly sources: number;
}

/** What a generator can be told. */
export type GeneratorCommand =
  | { readonly kind: "open"; readonly plan: ConnectionPlan }
  | { readonly kind: "publish"; readonly plan: PublishPlan }
  | { readonly kind: "echo"; readonly plan: WindowPlan }
  | { readonly kind: "handshakes"; readonly plan: HandshakePlan }
  /** The first `count` subscribers stop reading. */
  | { readonly kind: "stall"; readonly count: number };

/** What was counted between the beginning and the end of a measurement. */
export interface WindowSample {
  readonly seconds: number;
  /** Messages delivered, or handshakes done. */
  readonly units: number;
  /** CPU time of the server, in microseconds. */
  readonly serverCpuUs: number;
  /** Time for which the server was ready to run, but others had its core, in microseconds. */
  readonly serverWaitedUs: number;
  /** Share of the time in which the generator had something to do; near 1 it was the limit. */
  readonly generatorBusy: number;
  readonly latency: LatencySummary;
  /** Deliveries that were given up after a second of silence. */
  readonly lost: number;
  /** Deliveries that were not the next of their channel. */
  readonly misordered: number;
  /** Connections that ended. */
  readonly closed: number;
}

/** What a generator answers, one answer a command. */
export type GeneratorAnswer =
  | { readonly kind: "done"; readonly sample: WindowSample | undefined }
  | { readonly kind: "failed"; readonly error: unknown };
