import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { PmClient } from "@pm/client";

const MAIN = join(import.meta.dirname, "../../../server/dist/main.js");

/** The built server in development, with limits that let a test publish as fast as it can. */
export class DemoServer implements AsyncDisposable {
  readonly port: number;
  readonly #child: ChildProcess;
  readonly #folder: string;

  private constructor(child: ChildProcess, folder: string, port: number) {
    this.#child = child;
    this.#folder = folder;
    this.port = port;
  }

  /** @param port free where none is given */
  static async start(port = 0): Promise<DemoServer> {
    const folder = mkdtempSync(join(tmpdir(), "pm-demo-test-"));
    const env = {
      PATH: process.env["PATH"],
      NODE_ENV: "development",
      BIND_ADDR: `127.0.0.1:${port}`,
      // The same for every server, so that a token outlives one.
      JWT_SECRET: "a secret of the tests, longer than 32 bytes",
      OPS_BIND_ADDR: "127.0.0.1:0",
      LOG_COLORED: "false",
      DATA_DIR: folder,
      RATE_LIMIT_REQUESTS: "1000000",
    };
    const child = spawn(process.execPath, [MAIN], { env, stdio: ["ignore", "pipe", "ignore"] });
    return new DemoServer(child, folder, await portOf(child));
  }

  get page(): string {
    return `http://127.0.0.1:${this.port}/demo/`;
  }

  /** A client of a tenant, with a token as the page gets it. */
  client(tenant: string, user: string): PmClient {
    return new PmClient({
      url: `ws://127.0.0.1:${this.port}/ws`,
      getToken: async () => {
        const response = await fetch(`http://127.0.0.1:${this.port}/dev/token?tenant=${tenant}&user=${user}`);
        return ((await response.json()) as { readonly token: string }).token;
      },
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#child.exitCode === null && this.#child.signalCode === null) {
      this.#child.kill("SIGKILL");
      await once(this.#child, "exit");
    }
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

async function portOf(child: ChildProcess): Promise<number> {
  if (child.stdout === null) throw new Error("the server has no output");
  for await (const line of createInterface({ input: child.stdout })) {
    const { event, port } = JSON.parse(line) as { readonly event: string; readonly port: number };
    if (event !== "server_started") continue;
    child.stdout.resume();
    return port;
  }
  throw new Error("the server ended before it listened");
}
