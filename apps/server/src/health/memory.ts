import { totalmem } from "node:os";
import { getHeapSpaceStatistics, getHeapStatistics } from "node:v8";
import { graded, type Subsystem, type SubsystemReport } from "./subsystem.ts";

/** Share of a limit that is in use. */
const SHARE = { degraded: 0.85, failed: 0.97 };
const MIB = 1024 ** 2;
/** The largest half of the young generation: it grew with V8 13. */
const MAX_SEMI_SPACE_BYTES = Number.parseInt(process.versions.v8, 10) >= 13 ? 64 * MIB : 16 * MIB;

/** What a process holds, in bytes, and what it may. */
export interface MemoryUse {
  /** Of the old generation of the heap, at whose limit V8 ends the process. */
  readonly heapUsed: number;
  readonly heapLimit: number;
  /** Of everything: logs are outside of the heap. */
  readonly resident: number;
  /** Undefined where the process may have all that the machine has. */
  readonly residentLimit: number | undefined;
}

/** The memory of the process. */
export function memory(): Subsystem {
  const heapLimit = oldGenerationLimit();
  const residentLimit = constrainedMemory();
  return {
    name: "memory",
    report: () =>
      memoryReport({ heapUsed: oldGenerationUsed(), heapLimit, resident: process.memoryUsage.rss(), residentLimit }),
  };
}

/** The worse of the heap and the whole process. */
export function memoryReport({ heapUsed, heapLimit, resident, residentLimit }: MemoryUse): SubsystemReport {
  const share = Math.max(heapUsed / heapLimit, resident / (residentLimit ?? Number.POSITIVE_INFINITY));
  const numbers = { heap_used_bytes: heapUsed, heap_limit_bytes: heapLimit, resident_bytes: resident };
  return {
    state: graded(share, SHARE),
    numbers: residentLimit === undefined ? numbers : { ...numbers, resident_limit_bytes: residentLimit },
  };
}

function oldGenerationUsed(): number {
  const old = getHeapSpaceStatistics().filter(({ space_name }) => !space_name.startsWith("new_"));
  return old.reduce((sum, { space_used_size }) => sum + space_used_size, 0);
}

/** The limit that V8 tells has the young generation in it, which the old one can never have: three half spaces. */
function oldGenerationLimit(): number {
  const { heap_size_limit: limit } = getHeapStatistics();
  return limit - 3 * semiSpaceBytes(limit);
}

/**
 * V8 does not tell it: that of its flags, else what it makes of the memory there is (Heap::HeapSizeFromPhysicalMemory).
 */
function semiSpaceBytes(heapLimit: number): number {
  const flags = `${process.env["NODE_OPTIONS"] ?? ""} ${process.execArgv.join(" ")}`.replaceAll("_", "-");
  const given = /--max-semi-space-size[= ](?<mib>\d+)/.exec(flags)?.groups?.["mib"];
  if (given !== undefined) return Number(given) * MIB;
  if (flags.includes("--max-heap-size")) return heapLimit / 67;
  const present = constrainedMemory() ?? totalmem();
  const old = Math.min(present / 2, present < 15 * 1024 * MIB ? 2048 * MIB : 4096 * MIB);
  return Math.min(MAX_SEMI_SPACE_BYTES, old / 64);
}

function constrainedMemory(): number | undefined {
  const limit = process.constrainedMemory();
  return limit > 0 && limit < totalmem() ? limit : undefined;
}
