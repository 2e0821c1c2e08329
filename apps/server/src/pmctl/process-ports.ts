import { addAbortSignal } from "node:stream";
import { CommandError } from "./command-error.ts";
import type { CommandPorts } from "./command-ports.ts";
import { processTerminal } from "./terminal.ts";

/** What a shell expects of a process that a second Ctrl-C has ended. */
const INTERRUPTED = 130;

/** The ports of this process. A first SIGINT or SIGTERM asks the command to end, a second one ends the process. */
export function processPorts(): CommandPorts {
  const interruption = new AbortController();
  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    process.on(signal, () => {
      if (interruption.signal.aborted) process.exit(INTERRUPTED);
      interruption.abort();
    });
  }
  process.stdout.on("error", endUnwritable);
  const interrupted = interruption.signal;
  return { terminal: processTerminal, env: process.env, interrupted, readStdin: () => readStdin(interrupted) };
}

/** Whoever reads may have seen enough, as in `pmctl listen | head`. A disk that is full is a failure. */
function endUnwritable({ code, message }: NodeJS.ErrnoException): void {
  if (code === "EPIPE") process.exit(0);
  process.stderr.write(`pmctl: the output cannot be written: ${message}\n`);
  process.exit(1);
}

/** @throws CommandError `FAILED` when it is interrupted */
async function readStdin(interrupted: AbortSignal): Promise<Uint8Array<ArrayBuffer> | undefined> {
  if (process.stdin.isTTY) return undefined;
  const chunks: Buffer[] = [];
  try {
    for await (const chunk of addAbortSignal(interrupted, process.stdin) as AsyncIterable<Buffer>) chunks.push(chunk);
  } catch (error) {
    throw interrupted.aborted ? CommandError.failed("interrupted", error) : error;
  }
  return Buffer.concat(chunks);
}
