import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { BenchError } from "../bench-error.ts";
import type { ServerKind } from "../dialect/dialect.ts";
import { freePort } from "./free-port.ts";
import { collectOnSignal, serverCommand } from "./server-command.ts";

/** How a server is started. */
export interface ServerStart {
  readonly kind: ServerKind;
  readonly secret: string;
  /** The core that it is kept on; undefined: any. */
  readonly cpu: number | undefined;
  /** True when `collectGarbage` is going to be called. */
  readonly collectsGarbage?: boolean | undefined;
  /** Settings of pm beside those of every run. */
  readonly pmEnv?: Readonly<Record<string, string>> | undefined;
}

interface ServerPorts {
  readonly port: number;
  readonly metricsPort: number;
}

const START_TIMEOUT_MS = 15_000;
const POLL_MS = 20;
const POLL_TIMEOUT_MS = 1_000;
/** Time that a collection of a small heap takes several times over. */
const COLLECTION_MS = 500;
const OUTPUT_CHARACTERS = 2_000;

/** A server under test: a process of its own, killed at the end. */
export class ServerProcess implements AsyncDisposable {
  readonly kind: ServerKind;
  readonly port: number;
  readonly #metricsPort: number;
  readonly #child: ChildProcess;
  readonly #dataDir: string;
  #output = "";

  private constructor(start: ServerStart, { port, metricsPort }: ServerPorts) {
    this.kind = start.kind;
    this.port = port;
    this.#metricsPort = metricsPort;
    this.#dataDir = mkdtempSync(join(tmpdir(), "pm-bench-"));
    const { args, env } = serverCommand(start.kind, {
      port,
      metricsPort,
      secret: start.secret,
      dataDir: this.#dataDir,
      pmEnv: start.pmEnv,
    });
    const flags = start.collectsGarbage === true ? ["--expose-gc", "--import", collectOnSignal()] : [];
    const node = [process.execPath, ...flags, ...args];
    const [program = "", ...rest] =
      start.cpu === undefined ? node : ["taskset", "--cpu-list", String(start.cpu), ...node];
    this.#child = spawn(program, rest, {
      env: { PATH: process.env["PATH"] ?? "", ...env },
      stdio: ["ignore", "pipe", "pipe"],
    });
    this.#child.once("error", (error) => {
      this.#output += error.message;
    });
    process.once("exit", this.#kill);
    for (const stream of [this.#child.stdout, this.#child.stderr]) {
      stream?.on("data", (text: Buffer) => {
        this.#output = (this.#output + text.toString()).slice(-OUTPUT_CHARACTERS);
      });
    }
  }

  /** Starts a server, and waits until it answers. */
  static async start(start: ServerStart): Promise<ServerProcess> {
    const server = new ServerProcess(start, { port: await freePort(), metricsPort: await freePort() });
    try {
      await server.#answers();
      return server;
    } catch (error) {
      await server[Symbol.asyncDispose]();
      throw error;
    }
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  /** @throws BenchError `SERVER_FAILED` when it has ended by itself */
  assertAlive(): void {
    const { exitCode, signalCode, pid } = this.#child;
    if (pid === undefined) throw BenchError.serverFailed(this.kind, `did not start: ${this.#output}`);
    if (exitCode === null && signalCode === null) return;
    throw BenchError.serverFailed(this.kind, `ended with ${exitCode ?? signalCode}: ${this.#output}`);
  }

  /** Has it collect its garbage, and waits until that is done. */
  async collectGarbage(): Promise<void> {
    this.#child.kill("SIGUSR2");
    await delay(COLLECTION_MS);
  }

  /** The metrics of a pm server, in Prometheus's text form. */
  async metrics(): Promise<string> {
    const answer = await fetch(`http://127.0.0.1:${this.#metricsPort}/metrics`);
    return answer.text();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#child.exitCode === null && this.#child.signalCode === null && this.#child.kill("SIGKILL")) {
      await once(this.#child, "exit");
    }
    process.off("exit", this.#kill);
    rmSync(this.#dataDir, { recursive: true, force: true });
  }

  readonly #kill = (): void => {
    this.#child.kill("SIGKILL");
    rmSync(this.#dataDir, { recursive: true, force: true });
  };

  /** Any answer will do: only pm has a route for this. */
  async #answers(): Promise<void> {
    const deadline = performance.now() + START_TIMEOUT_MS;
    while (performance.now() < deadline) {
      this.assertAlive();
      const signal = AbortSignal.timeout(POLL_TIMEOUT_MS);
      const answer = await fetch(`http://127.0.0.1:${this.port}/ready`, { signal }).catch(() => undefined);
      await answer?.arrayBuffer();
      if (answer !== undefined) return;
      await delay(POLL_MS);
    }
    throw BenchError.serverFailed(this.kind, `does not answer: ${this.#output}`);
  }
}
