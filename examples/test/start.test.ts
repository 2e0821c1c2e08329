import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { expect, it } from "vitest";
import { Child, ROOT } from "./child-process.ts";

const START_TIMEOUT_MS = 100_000;
const BANNER = /pm is running in development mode[^]*'\{"text":"hello"\}'/;

it(
  "given the first command of the README, when the two that it prints are pasted, then a message arrives",
  async () => {
    const dataDir = mkdtempSync(join(tmpdir(), "pm-start-"));
    const settings = {
      BIND_ADDR: "127.0.0.1:0",
      OPS_BIND_ADDR: "127.0.0.1:0",
      DATA_DIR: dataDir,
      LOG_COLORED: "false",
    };
    const start = spawn("npx", ["--yes", "pnpm@12", "start"], {
      cwd: ROOT,
      env: { ...process.env, NODE_ENV: "", ...settings },
      stdio: ["ignore", "pipe", "pipe"],
    });
    let output = "";
    for (const stream of [start.stdout, start.stderr]) {
      stream.setEncoding("utf8").on("data", (text: string) => (output += text));
    }
    const ended = once(start, "close");
    try {
      for (const deadlineMs = performance.now() + START_TIMEOUT_MS; !BANNER.test(output); await delay(50)) {
        if (start.exitCode !== null || performance.now() > deadlineMs) throw new Error(`it did not start:\n${output}`);
      }
      const [listen = "", publish = ""] = [...output.matchAll(/--silent pmctl (.*)$/gm)].map((found) => found[1] ?? "");
      const env = { NODE_ENV: "development" };

      await using listener = new Child("apps/server/dist/pmctl.js", { args: listen.split(" "), env });
      await listener.noted(/listening to project:42/);
      const args = publish.replaceAll("'", "").split(" ");
      await using publisher = new Child("apps/server/dist/pmctl.js", { args, env });

      expect(await publisher.exited).toBe(0);
      await listener.printed(/project:42 .*\{"text":"hello"\}/);
    } finally {
      const pid = Number(/"pid":(\d+)/.exec(output)?.[1] ?? start.pid);
      process.kill(pid, "SIGTERM");
      await ended;
      rmSync(dataDir, { recursive: true, force: true });
    }
    expect(output).toContain("drain_finished");
  },
  START_TIMEOUT_MS + 20_000,
);
