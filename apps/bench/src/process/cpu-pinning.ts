import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { parseAllowedCpus } from "./proc-stat.ts";

/** A core for the server under test, and others for the load generator. */
export interface CpuPinning {
  readonly serverCpu: number;
  readonly generatorCpus: readonly number[];
}

/** The first core that this process may run on, and the rest; undefined where there is only one, or no `taskset`. */
export function findPinning(): CpuPinning | undefined {
  if (spawnSync("taskset", ["--version"]).status !== 0) return undefined;
  return choosePinning(parseAllowedCpus(readFileSync("/proc/self/status", "latin1")));
}

/** The first of some cores for the server, the others for the generator; undefined when there is only one. */
export function choosePinning([serverCpu, ...generatorCpus]: readonly number[]): CpuPinning | undefined {
  return serverCpu === undefined || generatorCpus.length === 0 ? undefined : { serverCpu, generatorCpus };
}

/** Keeps all threads of this process, and those that they make, away from the server's core. */
export function pinGenerator({ generatorCpus }: CpuPinning): void {
  spawnSync("taskset", ["--all-tasks", "--cpu-list", "--pid", generatorCpus.join(","), String(process.pid)]);
}
