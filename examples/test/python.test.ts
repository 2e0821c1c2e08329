import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { expect, it } from "vitest";
import { ROOT } from "./child-process.ts";

const HAS_PYTHON = spawnSync("python3", ["--version"]).status === 0;

it.skipIf(!HAS_PYTHON)(
  "given no server yet, when the client in Python connects, then it says what it waits for",
  async () => {
    const script = join(ROOT, "examples/python/pm_client.py");
    const client = spawn("python3", [script, "--url", "ws://127.0.0.1:9/ws", "--token", "t", "listen"]);
    try {
      // Python may write a line and its end apart.
      const [said] = (await once(createInterface({ input: client.stderr }), "line")) as [string];
      expect(said).toMatch(/^pm_client: ws:\/\/127\.0\.0\.1:9\/ws: .*Connection refused; trying on$/);
    } finally {
      client.kill("SIGKILL");
      await once(client, "close");
    }
  },
);
