import { type ChildProcessByStdio, spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Readable } from "node:stream";
import { setTimeout as delay } from "node:timers/promises";
import { SECRET } from "./token.ts";

const MAIN = join(import.meta.dirname, "../../dist/main.js");
const START_TIMEOUT_MS = 10_000;

/** One line of the server's log. */
export interface LogLine {
  readonly event: string;
  readonly level: string;
  readonly [field: string]: unknown;
}

/** How a process ended. */
export interface Exit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  /** By `performance.now()`. */
  readonly atMs: number;
}

/** What a test decides about a server. */
export interface ServerProcessOptions {
  /** Settings over those that every test has; undefined leaves one out. */
  readonly settings?: Readonly<Record<string, string | undefined>>;
  /** Flags for node itself. */
  readonly nodeFlags?: readonly string[];
  /** File descriptors that the process may have. @default those of the test */
  readonly openFiles?: number;
}

/** The built server as a child process on a port of its own, with its log. */
export class ServerProcess implements AsyncDisposable {
  readonly #child: ChildProcessByStdio<null, Readable, Readable>;
  readonly #folder: string;
  #stdout = "";
  #stderr = "";
  #exited = false;
  #address = { host: "", port: 0, opsPort: 0 };
  readonly exit: Promise<Exit>;

  private constructor(options: ServerProcessOptions) {
    this.#folder = mkdtempSync(join(tmpdir(), "pm-server-test-"));
    const [command, ...args] = commandOf(options);
    this.#child = spawn(command, args, {
      cwd: this.#folder,
      env: environment(this.#folder, options.settings ?? {}),
      stdio: ["ignore", "pipe", "pipe"],
    });
    this.#child.stdout.setEncoding("utf8").on("data", (text: string) => (this.#stdout += text));
    this.#child.stderr.setEncoding("utf8").on("data", (text: string) => (this.#stderr += text));
    this.exit = new Promise((resolve) => {
      this.#child.once("close", (code, signal) => {
        this.#exited = true;
        resolve({ code, signal, atMs: performance.now() });
      });
    });
  }

  /** Starts a server, whether it comes up or not. */
  static launch(options: ServerProcessOptions = {}): ServerProcess {
    return new ServerProcess(options);
  }

  /** Starts a server and waits until it listens. */
  static start(
    settings: ServerProcessOptions["settings"] = {},
    nodeFlags: readonly string[] = [],
  ): Promise<ServerProcess> {
    return ServerProcess.startWith({ settings, nodeFlags });
  }

  /** As `start`, with everything that can be decided. */
  static async startWith(options: ServerProcessOptions): Promise<ServerProcess> {
    const server = new ServerProcess(options);
    const deadline = performance.now() + START_TIMEOUT_MS;
    for (;;) {
      const started = server.lines.find(({ event }) => event === "server_started");
      if (started !== undefined) {
        server.#address = {
          host: String(started["host"]),
          port: Number(started["port"]),
          opsPort: Number(started["ops_port"]),
        };
        return server;
      }
      if (server.#exited || performance.now() > deadline) {
        await server[Symbol.asyncDispose]();
        throw new Error(`the server did not start:\n${server.stdout}${server.stderr}`);
      }
      await delay(10);
    }
  }

  get host(): string {
    return this.#address.host;
  }

  get port(): number {
    return this.#address.port;
  }

  /** Port of the operations listener. */
  get opsPort(): number {
    return this.#address.opsPort;
  }

  get url(): string {
    return `ws://${this.host}:${this.port}/ws`;
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  get stdout(): string {
    return this.#stdout;
  }

  get stderr(): string {
    return this.#stderr;
  }

  get isRunning(): boolean {
    return !this.#exited;
  }

  /** The complete lines of the log so far. Throws where one is not JSON. */
  get lines(): LogLine[] {
    const complete = this.#stdout.slice(0, this.#stdout.lastIndexOf("\n") + 1);
    return complete
      .split("\n")
      .filter((line) => line !== "")
      .map((line) => JSON.parse(line) as LogLine);
  }

  /** The lines that belong to an error which a client was told of. */
  linesOf(errorId: string): LogLine[] {
    return this.lines.filter((line) => line["error_id"] === errorId);
  }

  /** What no test may cause: lines of level error, and anything on stderr. */
  get faults(): string[] {
    const errors = this.lines.filter(({ level }) => level === "error").map((line) => JSON.stringify(line));
    return this.#stderr === "" ? errors : [...errors, this.#stderr];
  }

  /** Fetches a public route. */
  get(path: string, headers: Readonly<Record<string, string>> = {}): Promise<Response> {
    return fetch(`http://${this.host}:${this.port}${path}`, { headers });
  }

  signal(name: NodeJS.Signals): void {
    this.#child.kill(name);
  }

  /** Ends it by SIGTERM. */
  stop(): Promise<Exit> {
    this.signal("SIGTERM");
    return this.exit;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (!this.#exited) this.#child.kill("SIGKILL");
    await this.exit;
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

/** The shell that sets a limit becomes the server, so that signals reach it. */
function commandOf({ nodeFlags = [], openFiles }: ServerProcessOptions): [command: string, ...args: string[]] {
  const node = [process.execPath, ...nodeFlags, MAIN] as const;
  return openFiles === undefined ? [...node] : ["sh", "-c", `ulimit -n ${openFiles} && exec "$@"`, "sh", ...node];
}

function environment(folder: string, settings: Readonly<Record<string, string | undefined>>): NodeJS.ProcessEnv {
  const merged = {
    PATH: process.env["PATH"],
    BIND_ADDR: "127.0.0.1:0",
    OPS_BIND_ADDR: "127.0.0.1:0",
    DATA_DIR: join(folder, "data"),
    JWT_SECRET: SECRET,
    LOG_COLORED: "false",
    ...settings,
  };
  return Object.fromEntries(Object.entries(merged).filter(([, value]) => value !== undefined));
}
