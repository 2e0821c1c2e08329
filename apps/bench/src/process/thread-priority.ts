import { spawnSync } from "node:child_process";
import { readlinkSync } from "node:fs";
import { constants, setPriority } from "node:os";
import { basename } from "node:path";

/** From now on, all other threads go before the one that calls this, whenever they have something to do. */
export function letOthersGoFirst(): void {
  // On Linux each thread has an id, and a priority, of its own.
  const thread = basename(readlinkSync("/proc/thread-self"));
  const { status } = spawnSync("chrt", ["--idle", "--pid", "0", thread]);
  if (status !== 0) setPriority(Number(thread), constants.priority.PRIORITY_LOW);
}
