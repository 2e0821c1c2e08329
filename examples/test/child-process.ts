import { type ChildProcessByStdio, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Readable } from "node:stream";
import { setTimeout as delay } from "node:timers/promises";

/** The repository. */
export const ROOT: string = join(import.meta.dirname, "../..");

/** How a child is started. */
export interface ChildOptions {
  readonly args?: readonly string[];
  /** Beside PATH; nothing else is handed on. */
  readonly env?: NodeJS.ProcessEnv;
}

/** A program of this repository in a process and a folder of its own, with what it printed. */
export class Child implements AsyncDisposable {
  readonly folder: string;
  readonly exited: Promise<number | null>;
  readonly #process: ChildProcessByStdio<null, Readable, Readable>;
  #output = "";
  #errors = "";

  constructor(program: string, { args = [], env = {} }: ChildOptions = {}) {
    this.folder = mkdtempSync(join(tmpdir(), "pm-examples-"));
    this.#process = spawn(process.execPath, [join(ROOT, program), ...args], {
      cwd: this.folder,
      env: { PATH: process.env["PATH"], ...env },
      stdio: ["ignore", "pipe", "pipe"],
    });
    this.#process.stdout.setEncoding("utf8").on("data", (text: string) => (this.#output += text));
    this.#process.stderr.setEncoding("utf8").on("data", (text: string) => (this.#errors += text));
    this.exited = once(this.#process, "close").then(([code]) => code as number | null);
  }

  get errors(): string {
    return this.#errors;
  }

  get output(): string {
    return this.#output;
  }

  /** Waits for something in the output, and gives what the first group holds. */
  printed(pattern: RegExp, timeoutMs?: number): Promise<string> {
    return this.#found(() => this.#output, pattern, timeoutMs);
  }

  /** The same on the standard error. */
  noted(pattern: RegExp, timeoutMs?: number): Promise<string> {
    return this.#found(() => this.#errors, pattern, timeoutMs);
  }

  async #found(read: () => string, pattern: RegExp, timeoutMs = 10_000): Promise<string> {
    const deadlineMs = performance.now() + timeoutMs;
    for (;;) {
      const found = pattern.exec(read());
      if (found !== null) return found[1] ?? found[0];
      if (performance.now() > deadlineMs || this.#process.exitCode !== null) {
        throw new Error(`${String(pattern)} was not found:\n${this.#output}${this.#errors}`);
      }
      await delay(10);
    }
  }

  signal(name: NodeJS.Signals): void {
    this.#process.kill(name);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#process.kill("SIGKILL");
    await this.exited;
    rmSync(this.folder, { recursive: true, force: true });
  }
}
