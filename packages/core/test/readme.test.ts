import { execFileSync } from "node:child_process";
import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";

const README = readFileSync(join(import.meta.dirname, "../README.md"), "utf8");
const SCRIPT = join(import.meta.dirname, "readme-snippet.generated.ts");

afterAll(() => rmSync(SCRIPT, { force: true }));

describe("the snippet of the README", () => {
  it("given the built package, when the snippet is run, then it prints what its reader expects", () => {
    const snippet = /```ts\n(?<code>[\s\S]*?)```/.exec(README)?.groups?.["code"] ?? "";
    writeFileSync(SCRIPT, snippet);
    const lines = execFileSync(process.execPath, [SCRIPT], { encoding: "utf8" }).trimEnd().split("\n");
    expect(lines).toEqual([
      "ShopError SOLD_OUT: article a-1 has 0 left",
      `raised in line ${lineOf(snippet, "const error =")}`,
      "acme/project:42",
      "true",
      'NameError: tenant_id "acme/../other" is not 1 to 128 of A-Z a-z 0-9 . _ - that begin with a letter or digit',
      "a minute has passed",
    ]);
  });
});

function lineOf(text: string, start: string): number {
  return text.split("\n").findIndex((line) => line.startsWith(start)) + 1;
}
