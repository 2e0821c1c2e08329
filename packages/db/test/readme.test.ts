import { execFileSync } from "node:child_process";
import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { TemporaryFolder } from "./temporary-folder.ts";

const README = readFileSync(join(import.meta.dirname, "../README.md"), "utf8");
const SCRIPT = join(import.meta.dirname, "readme-snippet.generated.ts");

afterAll(() => rmSync(SCRIPT, { force: true }));

describe("the snippet of the README", () => {
  it("given the built package, when the snippet is run, then it prints what its reader expects", () => {
    using folder = new TemporaryFolder();
    const snippet = /```ts\n(?<code>[\s\S]*?)```/.exec(README)?.groups?.["code"] ?? "";
    writeFileSync(SCRIPT, snippet);
    const environment = { ...process.env, TMPDIR: folder.path };
    const printed = execFileSync(process.execPath, [SCRIPT], { encoding: "utf8", env: environment });
    expect(printed.trimEnd().split("\n")).toEqual([
      "acme is active",
      "{ maxConnections: 50 }",
      "acme is suspended",
      "TENANT_SUSPENDED The tenant is suspended.",
      "[ 'ada: hello' ]",
    ]);
  });
});
