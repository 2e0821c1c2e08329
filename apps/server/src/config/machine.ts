import { readFileSync } from "node:fs";
import { isatty } from "node:tty";

/** What the configuration must know of the machine. */
export interface Machine {
  readonly stdoutIsTerminal: boolean;
  /** File descriptors that this process may open; undefined where nobody can say. */
  readonly openFileLimit: number | undefined;
}

/** The machine that this process runs on. */
export function thisMachine(): Machine {
  return { stdoutIsTerminal: isatty(1), openFileLimit: openFileLimit() };
}

/** Reads the soft limit from the text of `/proc/self/limits`. */
export function parseOpenFileLimit(limits: string): number | undefined {
  const soft = /^Max open files\s+(?<soft>\d+)\s/m.exec(limits)?.groups?.["soft"];
  return soft === undefined ? undefined : Number(soft);
}

function openFileLimit(): number | undefined {
  try {
    return parseOpenFileLimit(readFileSync("/proc/self/limits", "utf8"));
  } catch {
    return undefined;
  }
}
