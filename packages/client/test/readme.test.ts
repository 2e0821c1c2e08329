import { execFile } from "node:child_process";
import { once } from "node:events";
import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, describe, expect, it } from "vitest";
import { PmServerProcess, signToken } from "./pm-server.ts";

const README = readFileSync(join(import.meta.dirname, "../README.md"), "utf8");
const SCRIPT = join(import.meta.dirname, "readme-snippet.generated.ts");

afterAll(() => rmSync(SCRIPT, { force: true }));

describe("the snippet of the README", () => {
  it("given the built package and a server, when the snippet is run, then it prints what its reader expects", async () => {
    await using server = await PmServerProcess.start();
    const tokens = createServer((_, response) => void signToken().then((token) => response.end(token)));
    tokens.listen(0, "127.0.0.1");
    await once(tokens, "listening");
    const [, snippet = ""] = /^```ts\n([\s\S]*?)^```$/m.exec(README) ?? [];
    writeFileSync(SCRIPT, snippet);
    const tokenUrl = `http://127.0.0.1:${(tokens.address() as AddressInfo).port}/token`;
    const env = { ...process.env, PM_URL: server.url, TOKEN_URL: tokenUrl };
    const { stdout } = await promisify(execFile)(process.execPath, [SCRIPT], { env });
    tokens.close();
    tokens.closeAllConnections();
    expect(stdout.trimEnd().split("\n")).toEqual([
      "connecting",
      "connected",
      "task.opened: task 7",
      "task.done: task 7",
      "the first was published at 1",
      "2 1",
      "idle",
    ]);
  });
});
