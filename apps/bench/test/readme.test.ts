import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { COMPARISONS, PROFILE_NAMES } from "../src/profile/catalog.ts";

const README = readFileSync(join(import.meta.dirname, "../README.md"), "utf8");
const MAIN = join(import.meta.dirname, "../dist/main.js");
const folder = mkdtempSync(join(tmpdir(), "pm-bench-readme-"));

afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe("the README", () => {
  it("given the results of a run, when the snippet reads them, then it prints a line for each comparison", () => {
    const snippet = /```ts\n(?<code>[\s\S]*?)```/.exec(README)?.groups?.["code"] ?? "";
    writeFileSync(join(folder, "read.ts"), snippet);
    const run = (...args: readonly string[]): string =>
      execFileSync(process.execPath, args, { cwd: folder, encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] });
    run(MAIN, "--size", "tiny", "--profile", "echo", "--json", "results.json");
    expect(run("read.ts")).toBe("echo: 1 round, target 1.1, 0 faults\n");
  }, 60_000);

  it("given the table of profiles, when it is compared with the code, then names and targets are the same", () => {
    const rows = [...README.matchAll(/^\| `(?<name>[a-z0-9-]+)`\s+\|.*\| (?<cost>[^|]+?)\s*\|$/gm)];
    expect(rows.map(({ groups }) => groups?.["name"])).toEqual(PROFILE_NAMES);
    const targets = rows.slice(0, COMPARISONS.length).map(({ groups }) => groups?.["cost"]?.split(", ")[1]);
    expect(targets.map((told) => (told === undefined ? undefined : Number(told)))).toEqual(
      COMPARISONS.map(({ target }) => target),
    );
  });
});
