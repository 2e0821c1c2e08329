import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { SignJWT } from "jose";

const MAIN = join(import.meta.dirname, "../../../apps/server/dist/main.js");
const SECRET = "a secret of the tests, longer than 32 bytes";

/** What a token says beside who it is for. */
export interface TokenClaims {
  readonly user?: string;
  readonly tenant?: string;
  /** Seconds from now; may be negative. */
  readonly expiresIn?: number;
  readonly channels?: readonly { readonly pattern: string; readonly allow: readonly string[] }[];
}

/** A token that every server of these tests takes. */
export function signToken({
  user = "u-1",
  tenant = "acme",
  expiresIn = 600,
  channels,
}: TokenClaims = {}): Promise<string> {
  const nowSecs = Math.floor(Date.now() / 1000);
  return new SignJWT({ tenant_id: tenant, ...(channels === undefined ? {} : { channels }) })
    .setProtectedHeader({ alg: "HS256" })
    .setSubject(user)
    .setIssuedAt(Math.min(nowSecs, nowSecs + expiresIn))
    .setExpirationTime(nowSecs + expiresIn)
    .sign(new TextEncoder().encode(SECRET));
}

/** A real server process. */
export class PmServerProcess implements AsyncDisposable {
  readonly port: number;
  readonly #child: ChildProcess;
  readonly #folder: string;

  /** A test that is given up does not leave its server behind. */
  readonly #onExit = (): boolean => this.#child.kill("SIGKILL");

  private constructor(child: ChildProcess, folder: string, port: number) {
    this.#child = child;
    this.#folder = folder;
    this.port = port;
    process.on("exit", this.#onExit);
  }

  /** Starts a server on a free port, with limits that let a test publish as fast as it can. */
  static async start(settings: Readonly<Record<string, string>> = {}): Promise<PmServerProcess> {
    const folder = mkdtempSync(join(tmpdir(), "pm-client-test-"));
    const env = {
      PATH: process.env["PATH"],
      JWT_SECRET: SECRET,
      BIND_ADDR: "127.0.0.1:0",
      OPS_BIND_ADDR: "127.0.0.1:0",
      LOG_COLORED: "false",
      DATA_DIR: folder,
      RATE_LIMIT_REQUESTS: "1000000",
      ...settings,
    };
    const child = spawn(process.execPath, [MAIN], { env, stdio: ["ignore", "pipe", "pipe"] });
    try {
      return new PmServerProcess(child, folder, await portOf(child));
    } catch (error) {
      rmSync(folder, { recursive: true, force: true });
      throw error;
    }
  }

  get url(): string {
    return `ws://127.0.0.1:${this.port}/ws`;
  }

  signal(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  /** Ends it as a crash does. */
  async kill(): Promise<void> {
    if (this.#child.exitCode === null && this.#child.signalCode === null) {
      this.#child.kill("SIGKILL");
      await once(this.#child, "exit");
    }
    process.off("exit", this.#onExit);
    rmSync(this.#folder, { recursive: true, force: true });
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.kill();
  }
}

/** Reads the log until the server says where it listens. */
function portOf(child: ChildProcess): Promise<number> {
  let said = "";
  child.stderr?.on("data", (data: Buffer) => (said += data.toString()));
  return new Promise((resolve, reject) => {
    child.once("exit", (code) => reject(new Error(`the server ended with ${code}: ${said}`)));
    if (child.stdout === null) return;
    createInterface(child.stdout).on("line", (line) => {
      said += `${line}\n`;
      if (!line.includes('"server_started"')) return;
      child.removeAllListeners("exit");
      resolve((JSON.parse(line) as { port: number }).port);
    });
  });
}
