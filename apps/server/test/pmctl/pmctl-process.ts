import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";

export const PMCTL: string = join(import.meta.dirname, "../../dist/pmctl.js");
/** Long enough for a slow machine: nothing waits for it when all is well. */
const DEADLINE_MS = 15_000;

/** How to run it. */
export interface PmctlOptions {
  readonly env?: Readonly<Record<string, string>>;
  /** All of the standard input; without it, the input is empty. `open`: it never ends. */
  readonly stdin?: string | Uint8Array | { readonly kind: "open" };
  /** @default the built tool */
  readonly program?: string;
}

/** What it left. */
export interface PmctlResult {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** The built command line tool as a process of its own, in an environment of its own. */
export class PmctlProcess implements AsyncDisposable {
  readonly #child: ChildProcessWithoutNullStreams;
  readonly #exited: Promise<unknown[]>;
  stdout = "";
  stderr = "";

  constructor(args: readonly string[], { env = {}, stdin = "", program = PMCTL }: PmctlOptions = {}) {
    this.#child = spawn(process.execPath, [program, ...args], { env: { PATH: process.env["PATH"] ?? "", ...env } });
    this.#exited = once(this.#child, "close");
    this.#child.stdout.on("data", (chunk: Buffer) => {
      this.stdout += chunk.toString();
    });
    this.#child.stderr.on("data", (chunk: Buffer) => {
      this.stderr += chunk.toString();
    });
    if (typeof stdin === "string" || stdin instanceof Uint8Array) this.#child.stdin.end(stdin);
  }

  /** Resolves when the text has been written to one of the outputs. */
  async has(text: string): Promise<void> {
    const giveUp = AbortSignal.timeout(DEADLINE_MS);
    while (!`${this.stdout}${this.stderr}`.includes(text)) {
      if (giveUp.aborted)
        throw new Error(`${JSON.stringify(text)} is not in ${JSON.stringify([this.stdout, this.stderr])}`);
      await Promise.race([
        once(this.#child.stdout, "data", { signal: giveUp }),
        once(this.#child.stderr, "data", { signal: giveUp }),
      ]);
    }
  }

  /** Resolves when the text was taken from here. */
  write(text: string): Promise<void> {
    return new Promise((resolve) => this.#child.stdin.write(text, () => resolve()));
  }

  signal(name: NodeJS.Signals): void {
    this.#child.kill(name);
  }

  closeStdout(): void {
    this.#child.stdout.destroy();
  }

  pauseStdout(): void {
    this.#child.stdout.pause();
  }

  resumeStdout(): void {
    this.#child.stdout.resume();
  }

  async ended(): Promise<PmctlResult> {
    const timer = setTimeout(() => this.#child.kill("SIGKILL"), DEADLINE_MS);
    const [code] = (await this.#exited) as [number | null];
    clearTimeout(timer);
    return { code, stdout: this.stdout, stderr: this.stderr };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#child.kill("SIGKILL");
    await this.#exited;
  }
}

/** Runs it to its end. */
export function pmctl(args: readonly string[], options?: PmctlOptions): Promise<PmctlResult> {
  return new PmctlProcess(args, options).ended();
}
