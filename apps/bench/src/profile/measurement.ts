import type { WindowSample } from "../generator/generator-protocol.ts";
import type { LatencySummary } from "../statistics/latency-histogram.ts";

/** What one run of one profile against one server has shown. */
export interface Measurement {
  /** In the unit of the profile: CPU microseconds of the server, or bytes of its memory. */
  readonly cost: number;
  /** Messages, handshakes or connections a second. */
  readonly perSec: number;
  /** Share of the server's core that was used. */
  readonly serverBusy: number;
  /** Share of the time for which the server could not run, since others had its core. */
  readonly serverWaited: number;
  /** Share of the time in which the generator had something to do. */
  readonly generatorBusy: number;
  /** Undefined where nothing was timed. */
  readonly latency: LatencySummary | undefined;
  /** What makes the measurement doubtful: losses, closed connections. */
  readonly faults: readonly string[];
}

/** A generator busier than this was the limit of the throughput, unless the server was as busy. */
const SATURATED = 0.95;
const DISTURBED = 0.1;

/** Says what a window's counts mean. */
export function measurementOf(sample: WindowSample): Measurement {
  const { seconds, units, serverCpuUs } = sample;
  return {
    cost: serverCpuUs / units,
    perSec: units / seconds,
    serverBusy: serverCpuUs / 1e6 / seconds,
    serverWaited: sample.serverWaitedUs / 1e6 / seconds,
    generatorBusy: sample.generatorBusy,
    latency: sample.latency,
    faults: faultsOf(sample),
  };
}

/**
 * True when the generator, not the server, set the pace. The cost of a unit holds good then, the throughput does not.
 */
export function isGeneratorBound({ generatorBusy, serverBusy }: Measurement): boolean {
  return generatorBusy > SATURATED && serverBusy < SATURATED;
}

/**
 * True when the machine had other work to do on the server's core: nothing of the measurement can be relied on. A
 * server also waits for its own helper threads; that time is within what it has used.
 */
export function isDisturbed({ serverWaited, serverBusy }: Measurement): boolean {
  return Math.min(serverWaited, 1 - serverBusy) > DISTURBED;
}

/** What went wrong within a window; empty when nothing did. */
export function faultsOf({ units, lost, misordered, closed }: WindowSample): string[] {
  const faults: string[] = [];
  if (units === 0) faults.push("nothing was delivered");
  if (lost > 0) faults.push(`${lost} lost`);
  if (misordered > 0) faults.push(`${misordered} out of order`);
  if (closed > 0) faults.push(`${closed} connections closed`);
  return faults;
}
