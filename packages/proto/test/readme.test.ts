import { execFileSync } from "node:child_process";
import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { blocks } from "./markdown.ts";

const README = readFileSync(join(import.meta.dirname, "../README.md"), "utf8");
const SCRIPT = join(import.meta.dirname, "readme-snippet.generated.ts");

afterAll(() => rmSync(SCRIPT, { force: true }));

describe("the snippet of the README", () => {
  it("given the built package, when the snippet is run, then it prints what its reader expects", () => {
    const [snippet = ""] = blocks(README, "ts");
    writeFileSync(SCRIPT, snippet);
    const lines = execFileSync(process.execPath, [SCRIPT], { encoding: "utf8" }).trimEnd().split("\n");
    expect(lines).toEqual([
      '{"messages":[{"id":1,"subscribe":{"channel":"project:42","rewind":10}}]}',
      "project:42",
      "2 pong",
      "0 goAway",
      "more than 8 levels | The frame cannot be decoded.",
    ]);
  });
});
