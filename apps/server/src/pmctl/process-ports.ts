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
  // Whoever reads has seen enough, as in `pmctl listen | head`.
  process.stdout.on("error", () => process.exit(0));
  return { terminal: processTerminal, env: process.env, interrupted: interruption.signal, readStdin };
}

async function readStdin(): Promise<Uint8Array<ArrayBuffer> | undefined> {
  if (process.stdin.isTTY) return undefined;
  const chunks: Buffer[] = [];
  for await (const chunk of process.stdin as AsyncIterable<Buffer>) chunks.push(chunk);
  return Buffer.concat(chunks);
}
