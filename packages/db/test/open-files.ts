import { existsSync, readdirSync, readlinkSync } from "node:fs";

/** Whether this machine lists the open files of a process. */
export const CAN_LIST_OPEN_FILES: boolean = existsSync("/proc/self/fd");

/** The files under a folder that this process has open. */
export function openFilesIn(folder: string): string[] {
  return readdirSync("/proc/self/fd")
    .map(targetOf)
    .filter((file) => file.startsWith(folder));
}

function targetOf(descriptor: string): string {
  try {
    return readlinkSync(`/proc/self/fd/${descriptor}`);
  } catch {
    return ""; // The one with which the list was read.
  }
}
