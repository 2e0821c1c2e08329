import { cpus, loadavg, release, totalmem } from "node:os";
import type { CpuPinning } from "./cpu-pinning.ts";

/** Where something was measured: numbers of different machines cannot be compared. */
export interface Machine {
  readonly cpu: string;
  readonly cores: number;
  readonly memoryGiB: number;
  readonly kernel: string;
  readonly node: string;
  /** Cores of the server and of the generator; undefined: the kernel chose. */
  readonly pinning: CpuPinning | undefined;
  /** Processes that wanted to run in the minute before; above 0.5 something else was going on. */
  readonly loadBefore: number;
}

/** The machine that this process runs on. */
export function thisMachine(pinning: CpuPinning | undefined): Machine {
  const all = cpus();
  return {
    cpu: all[0]?.model.trim() ?? "unknown",
    cores: all.length,
    memoryGiB: Math.round(totalmem() / 1024 ** 3),
    kernel: release(),
    node: process.version,
    pinning,
    loadBefore: loadavg()[0] ?? 0,
  };
}
