import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { createInterface } from "node:readline";

/** A program of `test/children` in a process of its own; what it prints comes line by line. */
export class Child implements AsyncDisposable {
  readonly lines: string[] = [];
  readonly #process: ChildProcess;
  readonly #ended: Promise<unknown>;
  #errors = "";

  constructor(program: string, ...args: readonly string[]) {
    this.#process = spawn(process.execPath, [join(import.meta.dirname, "children", program), ...args], {
      stdio: ["ignore", "pipe", "pipe"],
    });
    this.#ended = once(this.#process, "close");
    this.#process.stderr?.on("data", (data: Buffer) => (this.#errors += data.toString()));
    if (this.#process.stdout !== null) {
      createInterface({ input: this.#process.stdout }).on("line", (line) => this.lines.push(line));
    }
  }

  /** Resolves when it has ended by itself, with what it printed; rejects when that went wrong. */
  async finished(): Promise<readonly string[]> {
    await this.#ended;
    if (this.#process.exitCode !== 0 || this.#errors !== "") {
      throw new Error(`the child ended with ${this.#process.exitCode} and said:\n${this.#errors}`);
    }
    return this.lines;
  }

  /** Ends it without a chance to do anything more. */
  async kill(): Promise<void> {
    this.#process.kill("SIGKILL");
    await this.#ended;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.kill();
  }
}
