import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { expect, it } from "vitest";

const run = promisify(execFile);
const SNIPPET = /```ts\n(?<code>[\s\S]*?)```/g;

it("given the README, when its snippet is run by node, then it prints what the README says", async () => {
  const readme = await readFile(join(import.meta.dirname, "../README.md"), "utf8");
  const snippets = [...readme.matchAll(SNIPPET)].map(({ groups }) => groups?.["code"] ?? "");
  expect(snippets).toHaveLength(1);
  const expected = [...(snippets[0] ?? "").matchAll(/console\.log\(.*\); \/\/ (?<output>.*)$/gm)].map(
    ({ groups }) => groups?.["output"],
  );
  expect(expected).toHaveLength(2);
  const folder = await mkdtemp(join(import.meta.dirname, "snippet-"));
  try {
    const file = join(folder, "snippet.ts");
    await writeFile(file, snippets[0] ?? "");
    const { stdout } = await run(process.execPath, ["--disable-warning=ExperimentalWarning", file]);
    expect(stdout.trim().split("\n")).toEqual(expected);
  } finally {
    await rm(folder, { recursive: true });
  }
});
