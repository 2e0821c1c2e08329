import { type ChildProcessByStdio, spawn } from "node:child_process";
import { createHmac, randomBytes } from "node:crypto";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import type { Readable } from "node:stream";

/** The built server. */
export const SERVER_MAIN: string = join(import.meta.dirname, "../../apps/server/dist/main.js");
const TOKEN_SECS = 365 * 86_400;

/** A server as a child process on a port of its own. */
export class SoakServer {
  /** What must not happen: lines of level error, what is on stderr, and an end that nobody asked for. */
  readonly faults: string[] = [];
  readonly #folder = mkdtempSync(join(tmpdir(), "pm-soak-"));
  readonly #secret = randomBytes(32).toString("base64url");
  readonly #child: ChildProcessByStdio<null, Readable, Readable>;
  readonly #exited: Promise<unknown>;
  #url = "";

  private constructor(main: string) {
    // In a process group of its own: Ctrl-C reaches this process alone.
    this.#child = spawn(process.execPath, [main], {
      cwd: this.#folder,
      env: {
        PATH: process.env["PATH"],
        JWT_SECRET: this.#secret,
        BIND_ADDR: "127.0.0.1:0",
        OPS_BIND_ADDR: "127.0.0.1:0",
        DATA_DIR: join(this.#folder, "data"),
        LOG_COLORED: "false",
        RATE_LIMIT_REQUESTS: "1000000",
      },
      stdio: ["ignore", "pipe", "pipe"],
      detached: true,
    });
    this.#exited = once(this.#child, "close");
    this.#child.once("exit", (code, signal) => this.faults.push(`the server ended: ${code ?? signal}`));
    this.#child.stderr.setEncoding("utf8").on("data", (text: string) => this.faults.push(text));
  }

  /**
   * @param main the file that node is to run
   * @throws Error when the server ends before it listens
   */
  static async start(main: string): Promise<SoakServer> {
    const server = new SoakServer(main);
    const ended = server.#exited.then(() => {
      throw new Error(`the server did not start:\n${server.faults.join("\n")}`);
    });
    // It ends in any case, later.
    ended.catch(() => undefined);
    await Promise.race([server.#listening(), ended]);
    return server;
  }

  /** Where clients connect to. */
  get url(): string {
    return this.#url;
  }

  /** A token that the server takes. */
  token(tenant: string, user: string): string {
    const nowSecs = Math.floor(Date.now() / 1000);
    const claims = { tenant_id: tenant, sub: user, iat: nowSecs, exp: nowSecs + TOKEN_SECS };
    const parts = [{ alg: "HS256", typ: "JWT" }, claims].map((part) =>
      Buffer.from(JSON.stringify(part)).toString("base64url"),
    );
    const signed = parts.join(".");
    return `${signed}.${createHmac("sha256", this.#secret).update(signed).digest("base64url")}`;
  }

  /** Ends it by SIGTERM; resolves when it has ended. */
  async stop(): Promise<void> {
    this.#child.kill("SIGTERM");
    await this.#exited;
    rmSync(this.#folder, { recursive: true, force: true });
  }

  #listening(): Promise<void> {
    return new Promise((resolve) => {
      createInterface({ input: this.#child.stdout }).on("line", (line) => {
        const { event, level, host, port } = JSON.parse(line) as Record<string, unknown>;
        if (level === "error") this.faults.push(line);
        if (event !== "server_started") return;
        this.#url = `ws://${String(host)}:${String(port)}/ws`;
        resolve();
      });
    });
  }
}
