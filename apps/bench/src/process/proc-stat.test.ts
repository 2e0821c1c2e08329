import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { parseAllowedCpus, parseCpuTicks, parseResidentBytes, parseWaitedUs } from "./proc-stat.ts";

const STAT =
  "4711 (node (a) b) R 1 4711 4711 0 -1 4194304 99 0 0 0 1234 66 0 0 20 0 11 0 466568 3133440 408 18446744073709551615";
const STATUS =
  "Name:\tnode\nVmPeak:\t  200000 kB\nVmRSS:\t   51200 kB\nCpus_allowed:\t3b\nCpus_allowed_list:\t0-1,3-5\n";

/** A file of this process. */
function own(file: string): string {
  return readFileSync(`/proc/self/${file}`, "latin1");
}

describe("the texts of /proc", () => {
  it("given a stat file of a program with brackets in its name, when it is read, then user and system time are added", () => {
    expect(parseCpuTicks(STAT)).toBe(1300);
  });

  it("given something else, when it is read as a stat file, then it is refused", () => {
    expect(() => parseCpuTicks("")).toThrow(RangeError);
  });

  it("given a status file, when it is read, then resident memory is in bytes, and 0 where there is none", () => {
    expect(parseResidentBytes(STATUS)).toBe(51_200 * 1024);
    expect(parseResidentBytes("Name:\tzombie\n")).toBe(0);
  });

  it("given a status file, when it is read, then every allowed core is listed", () => {
    expect(parseAllowedCpus(STATUS)).toEqual([0, 1, 3, 4, 5]);
    expect(parseAllowedCpus("Cpus_allowed_list:\t7\n")).toEqual([7]);
    expect(parseAllowedCpus("")).toEqual([]);
  });

  it("given a schedstat file, when it is read, then the time without a core is in microseconds", () => {
    expect(parseWaitedUs("87210 2963569 2\n")).toBe(2963.569);
    expect(parseWaitedUs("")).toBe(0);
  });

  it("given this process, when its own files are read, then they make sense", () => {
    expect(parseCpuTicks(own("stat"))).toBeGreaterThan(0);
    expect(parseResidentBytes(own("status"))).toBeGreaterThan(10 * 1024 ** 2);
    expect(parseAllowedCpus(own("status")).length).toBeGreaterThan(0);
  });
});
