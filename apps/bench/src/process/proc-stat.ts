/** CPU time in clock ticks, user and system, of all threads, from the text of `/proc/<pid>/stat`. */
export function parseCpuTicks(stat: string): number {
  // The second field is the name of the program in brackets, and may hold anything, brackets too.
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  const ticks = Number(fields[11]) + Number(fields[12]);
  if (!Number.isSafeInteger(ticks)) throw new RangeError(`not the text of a stat file: ${stat.slice(0, 80)}`);
  return ticks;
}

/**
 * Time in microseconds for which the main thread was ready and had no core, from the text of `/proc/<pid>/schedstat`.
 */
export function parseWaitedUs(schedstat: string): number {
  return Number(schedstat.split(" ")[1] ?? 0) / 1000;
}

/** Resident memory in bytes, from the text of `/proc/<pid>/status`; 0 for a process that has ended. */
export function parseResidentBytes(status: string): number {
  return 1024 * Number(/^VmRSS:\s+(?<kilobytes>\d+) kB$/m.exec(status)?.groups?.["kilobytes"] ?? 0);
}

/** The CPUs that a process may run on, from the text of `/proc/<pid>/status`. */
export function parseAllowedCpus(status: string): number[] {
  const list = /^Cpus_allowed_list:\s+(?<list>[\d,-]+)$/m.exec(status)?.groups?.["list"] ?? "";
  return list.split(",").flatMap((part) => {
    const [first, last = first] = part.split("-").map(Number);
    if (part === "" || first === undefined || last === undefined) return [];
    return Array.from({ length: last - first + 1 }, (_, i) => first + i);
  });
}
