import { execFile } from "node:child_process";
import { globSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, beforeEach, expect, it } from "vitest";
import { ROOT } from "./child-process.ts";
import { blocksOf, expectedOutput } from "./docs-page.ts";
import { startServer } from "./pm-server.ts";

const run = promisify(execFile);
const INSTALL_TIMEOUT_MS = 120_000;
/** What pnpm and npm say when there is no network and what they need is not on this machine yet. */
const OFFLINE = /ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ENETUNREACH|ETIMEDOUT|META_FETCH_FAIL|NO_OFFLINE|ENOTCACHED/;

let folder: string;
let isInstalled = false;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "pm-packed-"));
  const packed = join(folder, "packed");
  try {
    await run("pnpm", ["--filter", "./packages/*", "pack", "--pack-destination", packed], {
      cwd: ROOT,
    });
    writeFileSync(join(folder, "package.json"), '{"type":"module"}');
    const wanted = [...globSync(join(packed, "*.tgz")), "express", "jose"];
    await run("npm", ["install", "--no-audit", "--no-fund", ...wanted], { cwd: folder });
    isInstalled = true;
  } catch (error) {
    const { stderr = "", stdout = "" } = error as { readonly stderr?: string; readonly stdout?: string };
    if (!OFFLINE.test(`${stderr}${stdout}${String(error)}`)) throw error;
  }
}, INSTALL_TIMEOUT_MS);

afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Without a network the test is skipped. */
beforeEach(({ skip }) => {
  if (!isInstalled) skip("installing packages needs the network");
});

async function runHere(code: string): Promise<string[]> {
  const file = join(folder, "snippet.ts");
  writeFileSync(file, code);
  const { stdout } = await run(process.execPath, [file], { cwd: folder, timeout: 15_000 });
  return stdout.trimEnd().split("\n");
}

function snippetOf(page: string, marker: string): string {
  const found = blocksOf(page).find(({ language, code }) => language === "ts" && code.includes(marker));
  if (found === undefined) throw new Error(`${page} has no snippet with ${marker}`);
  return found.code;
}

it.each([
  ["packages/auth/README.md", "requireTenant"],
  ["packages/ws/README.md", "attach"],
])("given packed packages in another folder, when the snippet of %s is run, then it works", async (page, marker) => {
  const snippet = snippetOf(page, marker);

  const printed = await runHere(snippet);

  expect(printed).toEqual(expectedOutput(snippet));
});

it("given the packed client in another folder, when the snippet of the README is run, then it works", async () => {
  await using server = await startServer({ NODE_ENV: "development", JWT_SECRET: "" });
  const snippet = snippetOf("README.md", "PmClient");

  const printed = await runHere(snippet.replaceAll("127.0.0.1:3000", server.host));

  expect(printed).toEqual(expectedOutput(snippet));
});

it("given the packed @pm/ws in another folder, when a program is compiled with all declarations checked, then it has the types it needs", async () => {
  writeFileSync(
    join(folder, "typed.ts"),
    'import { attach } from "@pm/ws";\nexport const attached: typeof attach = attach;\n',
  );
  const tsc = join(ROOT, "node_modules/.bin/tsc");

  const options = ["--noEmit", "--strict", "--module", "nodenext", "--target", "es2024", "--skipLibCheck", "false"];
  const { stdout } = await run(tsc, [...options, "--types", "node", "typed.ts"], { cwd: folder, timeout: 60_000 });

  expect(stdout).toBe("");
}, 60_000);
