import { execFile } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, describe, expect, it } from "vitest";
import type { LoadResults } from "../src/load/load-results.ts";
import { ServerProcess } from "../dist/process/server-process.js";

const run = promisify(execFile);
const LOAD = join(import.meta.dirname, "../dist/load.js");
const SECRET = "0123456789abcdef0123456789abcdef";
const folder = mkdtempSync(join(tmpdir(), "pm-load-test-"));
const [json, html] = [join(folder, "results.json"), join(folder, "report.html")];

afterAll(() => rmSync(folder, { recursive: true, force: true }));

function load(...flags: readonly string[]): ReturnType<typeof run> {
  return run(process.execPath, [LOAD, ...flags], { env: { ...process.env, PM_TOKEN_SECRET: SECRET } });
}

describe("pnpm load", () => {
  it("given readers that are cut off, when a server is under load, then everything acknowledged reaches everybody", async () => {
    await using server = await ServerProcess.start({ kind: "pm", secret: SECRET, cpu: undefined });
    const url = `ws://127.0.0.1:${server.port}/ws`;
    const clients = ["--subscribers", "12", "--publishers", "2", "--connections", "16", "--channels", "3"];
    const times = ["--rate", "150", "--duration", "2", "--cuts", "8"];
    const { stdout } = await load("--url", url, ...clients, ...times, "--json", json, "--html", html);
    const results = JSON.parse(readFileSync(json, "utf8")) as LoadResults;
    expect(results.violations).toEqual({});
    expect(results.published.acknowledged).toBe(results.published.sent);
    expect(results.published.sent).toBeGreaterThan(20);
    expect(results.delivered).toBe(results.published.sent * 4);
    expect(results.expected).toBe(results.delivered);
    expect(results.cuts).toBeGreaterThan(5);
    expect(results.closes).toEqual({});
    expect(stdout).toContain("Nothing was lost");
    expect(readFileSync(html, "utf8").match(/<svg/g)).toHaveLength(4);
  }, 60_000);

  it("given a wrong secret, when it connects, then it says so and ends with 1", async () => {
    await using server = await ServerProcess.start({ kind: "pm", secret: SECRET.toUpperCase(), cpu: undefined });
    const failure = load("--url", `ws://127.0.0.1:${server.port}/ws`);
    await expect(failure).rejects.toMatchObject({ code: 1, stderr: expect.stringContaining("401") as string });
    await expect(failure).rejects.toMatchObject({ stderr: expect.stringContaining("the server's secret") as string });
  }, 60_000);

  it("given a load too short to publish, when it is over, then nothing is said to be shown", async () => {
    await using server = await ServerProcess.start({ kind: "pm", secret: SECRET, cpu: undefined });
    const url = `ws://127.0.0.1:${server.port}/ws`;
    const { stdout } = await load("--url", url, "--connections", "2", "--duration", "0.3", "--html", html);
    expect(stdout).toContain("1 reader, 1 publisher, 0 idle, 1 channel;");
    expect(stdout).toContain("Nothing was published, so nothing is shown.");
    expect(stdout).not.toContain("Nothing was lost");
    expect(stdout).toContain(`Written: ${html}\n`);
  }, 60_000);

  it.each([
    { flags: ["--connections", "1"], says: "--connections 1 is too few for 1 subscriber and 1 publisher" },
    {
      flags: ["--connections", "10", "--subscribers", "20"],
      says: "--connections 10 is too few for 20 subscribers and 1 publisher",
    },
    { flags: ["--rate", "0"], says: "Expected a number above 0." },
    { flags: ["--tenant", "a b"], says: '"a b" is not' },
    { flags: ["--token-secret-file", "/nowhere/secret"], says: "ENOENT" },
    { flags: ["--html", "/nowhere/report.html"], says: "ENOENT" },
  ])(
    "given $flags, when it is called, then it says what is wrong in a line and ends with 2",
    async ({ flags, says }) => {
      const failure = load("--url", "ws://127.0.0.1:9/ws", ...flags);
      await expect(failure).rejects.toMatchObject({
        code: 2,
        stderr: expect.stringMatching(/^error: .*\n$/) as string,
      });
      await expect(failure).rejects.toMatchObject({ stderr: expect.stringContaining(says) as string });
    },
  );
});
