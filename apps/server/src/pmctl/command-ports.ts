import type { Environment } from "../config/environment.ts";
import type { Terminal } from "./terminal.ts";

/** What a command needs of the process it runs in. */
export interface CommandPorts {
  readonly terminal: Terminal;
  readonly env: Environment;
  /** Aborts when the process is asked to end. */
  readonly interrupted: AbortSignal;
  /** All of the standard input; undefined where it is a terminal. */
  readStdin(): Promise<Uint8Array<ArrayBuffer> | undefined>;
}
