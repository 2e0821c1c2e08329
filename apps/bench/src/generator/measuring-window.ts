import type { ProcessMeter } from "../process/process-meter.ts";
import { LatencyHistogram } from "../statistics/latency-histogram.ts";
import type { WindowSample } from "./generator-protocol.ts";
import type { TurnLoop } from "./turn-loop.ts";

/** What is counted all the time, and read at both ends of a window. */
export interface Totals {
  readonly units: number;
  readonly lost: number;
  readonly misordered: number;
  readonly closed: number;
}

interface Reading extends Totals {
  readonly atMs: number;
  readonly cpuUs: number;
  readonly waitedUs: number;
  readonly busyMs: number;
}

/** Where the readings come from. */
export interface WindowPorts {
  readonly meter: ProcessMeter;
  readonly loop: TurnLoop;
  readonly totals: () => Totals;
}

/** The part of a run that counts, after it has warmed up. */
export class MeasuringWindow {
  readonly histogram: LatencyHistogram = new LatencyHistogram();
  readonly #ports: WindowPorts;
  #start: Reading | undefined;

  constructor(ports: WindowPorts) {
    this.#ports = ports;
  }

  get isOpen(): boolean {
    return this.#start !== undefined;
  }

  /** Counted in it so far. */
  get units(): number {
    return this.#start === undefined ? 0 : this.#ports.totals().units - this.#start.units;
  }

  open(): void {
    this.#start = this.#read();
  }

  close(): WindowSample {
    const end = this.#read();
    const start = this.#start ?? end;
    return {
      seconds: (end.atMs - start.atMs) / 1000,
      units: end.units - start.units,
      serverCpuUs: end.cpuUs - start.cpuUs,
      serverWaitedUs: end.waitedUs - start.waitedUs,
      generatorBusy: Math.min(1, (end.busyMs - start.busyMs) / (end.atMs - start.atMs)),
      latency: this.histogram.summary(),
      lost: end.lost - start.lost,
      misordered: end.misordered - start.misordered,
      closed: end.closed - start.closed,
    };
  }

  #read(): Reading {
    const { meter, loop, totals } = this.#ports;
    return {
      ...totals(),
      atMs: performance.now(),
      cpuUs: meter.cpuUs(),
      waitedUs: meter.waitedUs(),
      busyMs: loop.busyMs(),
    };
  }
}
