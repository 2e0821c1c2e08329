import { readFileSync } from "node:fs";
import { parseCpuTicks, parseResidentBytes, parseWaitedUs } from "./proc-stat.ts";

/** Linux tells user space of hundredths of a second, whatever its own clock is. */
const MICROSECONDS_PER_TICK = 10_000;

/** What another process has used, as the kernel accounts for it. */
export interface ProcessMeter {
  /** CPU time of all threads so far, in microseconds. */
  cpuUs(): number;
  /**
   * Time for which it was ready to run, but its core was taken by others, in microseconds; 0 where nobody counts it.
   */
  waitedUs(): number;
  /** Memory that it holds now, in bytes. */
  residentBytes(): number;
}

/** Reads `/proc`. */
export class LinuxProcessMeter implements ProcessMeter {
  readonly #folder: string;

  constructor(pid: number) {
    this.#folder = `/proc/${pid}`;
  }

  cpuUs(): number {
    return parseCpuTicks(this.#read("stat") ?? "") * MICROSECONDS_PER_TICK;
  }

  waitedUs(): number {
    return parseWaitedUs(this.#read("schedstat") ?? "");
  }

  residentBytes(): number {
    return parseResidentBytes(this.#read("status") ?? "");
  }

  #read(file: string): string | undefined {
    try {
      return readFileSync(`${this.#folder}/${file}`, "latin1");
    } catch {
      return undefined;
    }
  }
}
