import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { PmClient } from "../src/index.ts";
import { CuttingProxy } from "./cutting-proxy.ts";
import { DeliveryRecord, upTo } from "./delivery-record.ts";
import { PmServerProcess, signToken } from "./pm-server.ts";
import { realClient } from "./real-client.ts";

const SCRIPT = join(import.meta.dirname, "../../../examples/python/pm_client.py");
const CHANNEL = "project:42";

/** A line that the example prints. */
interface Line {
  readonly kind: string;
  readonly offset?: number;
  readonly payload?: { readonly json?: string };
  readonly position?: { readonly offset?: number };
  readonly duplicate?: boolean;
  readonly reason?: string;
  readonly count?: number;
}

function hasPython(): boolean {
  try {
    execFileSync("python3", ["-c", "import sys; sys.exit(sys.version_info < (3, 9))"], { stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
}

/** The example as a process, and the lines that it has printed. */
class PythonClient {
  readonly lines: Line[] = [];
  readonly #child: ChildProcess;
  #errors = "";

  constructor(args: readonly string[]) {
    this.#child = spawn("python3", [SCRIPT, ...args], { stdio: ["pipe", "pipe", "pipe"] });
    this.#child.stderr?.on("data", (data: Buffer) => (this.#errors += data.toString()));
    if (this.#child.stdout !== null) {
      createInterface(this.#child.stdout).on("line", (line) => this.lines.push(JSON.parse(line) as Line));
    }
  }

  /** Resolves with the exit code, when all lines are there. */
  async ended(): Promise<number | null> {
    if (this.#child.exitCode === null) await once(this.#child, "close");
    if (this.#errors !== "") this.lines.push({ kind: this.#errors });
    return this.#child.exitCode;
  }

  /** Resolves when there are so many lines of that kind. */
  async printed(kind: string, count = 1): Promise<void> {
    const printed = () => this.lines.filter((line) => line.kind === kind).length;
    for (const endMs = Date.now() + 10_000; printed() < count; await sleep(10)) {
      if (Date.now() > endMs) throw new Error(`${kind} was not printed: ${this.#errors}`);
    }
  }

  /** A line of its standard input; undefined: there is no more. */
  write(line: string | undefined): void {
    if (line === undefined) this.#child.stdin?.end();
    else this.#child.stdin?.write(`${line}\n`);
  }

  kill(): void {
    this.#child.kill();
  }
}

describe.skipIf(!hasPython() && process.env["REQUIRE_ALL"] !== "1").each(["proto", "json"])(
  "the example in Python, in %s",
  (encoding) => {
    let server: PmServerProcess;
    let proxy: CuttingProxy;
    let witness: PmClient;
    let python: PythonClient;

    beforeEach(async () => {
      server = await PmServerProcess.start({ HEARTBEAT_INTERVAL_SECS: "1", HEARTBEAT_TIMEOUT_SECS: "1" });
      proxy = await CuttingProxy.start(server.port);
      witness = realClient(server.url);
      await witness.connect();
    });

    afterEach(async () => {
      python.kill();
      await witness.close();
      await proxy[Symbol.asyncDispose]();
      await server.kill();
    });

    async function run(...command: readonly string[]): Promise<PythonClient> {
      const token = await signToken({ user: "python" });
      python = new PythonClient([
        "--url",
        proxy.url,
        "--token",
        token,
        "--channel",
        CHANNEL,
        "--encoding",
        encoding,
        ...command,
      ]);
      return python;
    }

    it("given the demo, when it is run, then it subscribes, publishes, is cut off and recovers", async () => {
      const { lines } = await run("demo");
      expect(await python.ended()).toBe(0);
      const steps = lines
        .filter(({ kind }) => kind === "publication")
        .map(({ offset, payload }) => [offset, payload?.json]);
      expect(steps).toEqual(upTo(5).map((step) => [step, `{"step": ${step}}`]));
      const others = lines.filter(({ kind }) => kind !== "publication");
      expect(others.map(({ kind }) => kind)).toEqual(["subscribed", "published", "published", "cut", "recovered"]);
      expect(others.at(-1)?.position?.offset).toBe(2);
    });

    it("given connections that are cut and silenced at random, when it listens, then it prints every publication once, in order", {
      timeout: 40_000,
    }, async () => {
      const listening = await run("listen", "--count", "300");
      await listening.printed("subscribed");
      const cuts = (async () => {
        for (const round of upTo(5)) {
          await sleep(300);
          proxy.flow = round === 3 ? "blackhole" : "open";
          if (round === 3) await sleep(100);
          else proxy.cut();
          proxy.flow = "open";
        }
      })();
      for (const id of upTo(300)) {
        await witness.channel(CHANNEL).publish(id);
        await sleep(5);
      }
      await cuts;
      expect(await listening.ended()).toBe(0);
      const publications = listening.lines.filter(({ kind }) => kind === "publication");
      expect(publications.map(({ offset }) => offset)).toEqual(upTo(300));
      expect(publications.map(({ payload }) => payload?.json)).toEqual(upTo(300).map(String));
      expect(new Set(listening.lines.map(({ kind }) => kind))).toEqual(
        new Set(["subscribed", "publication", "recovered"]),
      );
    });

    it("given no count, when it listens, then it prints what is published until it is ended", async () => {
      const listening = await run("listen");
      await listening.printed("subscribed");
      await witness.channel(CHANNEL).publish(1);
      await listening.printed("publication");
      await witness.channel(CHANNEL).publish(2);
      await listening.printed("publication", 2);
      listening.kill();
      expect(await listening.ended()).toBeNull();
      expect(listening.lines.map(({ kind }) => kind)).toEqual(["subscribed", "publication", "publication"]);
    });

    it("given bytes, text in any script and a new epoch, when it listens, then it prints all of that", async () => {
      const listening = await run("listen", "--count", "2");
      await listening.printed("subscribed");
      await witness.channel(CHANNEL).publish("ä\u{1f600}");
      await listening.printed("publication");
      await server.kill();
      server = await PmServerProcess.start();
      proxy.targetPort = server.port;
      await listening.printed("missed");
      await using publisher = realClient(server.url);
      await publisher.connect();
      await publisher.channel(CHANNEL).publish(Uint8Array.of(1, 2, 255));
      expect(await listening.ended()).toBe(0);
      expect(listening.lines).toMatchObject([
        { kind: "subscribed" },
        { kind: "publication", offset: 1, payload: { json: '"ä\u{1f600}"' }, publisher: "u-1" },
        { kind: "missed", reason: "EPOCH_CHANGED", count: 0 },
        { kind: "publication", offset: 1, payload: { data: "AQL/" } },
      ]);
    });

    it("given an answer that is lost, when it publishes, then it tries again with the same key and it is published once", async () => {
      const channel = witness.channel(CHANNEL);
      const record = new DeliveryRecord(channel);
      await channel.subscribe();
      const publishing = await run("publish");
      publishing.write('{"a":1}');
      await publishing.printed("published");
      proxy.flow = "to-server-only";
      publishing.write('"é"');
      await record.reached(2);
      proxy.flow = "open";
      proxy.cut();
      publishing.write("3");
      publishing.write(undefined);
      expect(await publishing.ended()).toBe(0);
      await record.reached(3);
      expect(record.ids).toEqual([{ a: 1 }, "é", 3]);
      expect(publishing.lines.map(({ position, duplicate }) => [position?.offset, duplicate ?? false])).toEqual([
        [1, false],
        [2, true],
        [3, false],
      ]);
    });

    it("given a token that is none, when it connects, then it ends and says what the server said", async () => {
      python = new PythonClient(["--url", server.url, "--token", "none", "--encoding", encoding, "demo"]);
      expect(await python.ended()).toBe(1);
      expect(python.lines.at(-1)?.kind).toContain("INVALID_TOKEN");
    });
  },
);
