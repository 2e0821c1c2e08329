import { execFile } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Child, ROOT } from "./child-process.ts";
import { blocksOf, type DocsBlock, expectedOutput, shapeOf } from "./docs-page.ts";
import { type PmServer, startServer } from "./pm-server.ts";

const PAGES = [
  "README.md",
  "docs/getting-started.md",
  "docs/from-socket-io.md",
  "docs/tokens-and-grants.md",
  "docs/channels-and-recovery.md",
  "docs/limits.md",
  "docs/errors.md",
  "docs/operations.md",
  "docs/metrics.md",
  "docs/configuration.md",
  "examples/README.md",
];
/** Commands with tests of their own. */
const TESTED_ELSEWHERE = /pnpm@12 (?:start|test|build|--filter|exec)|node (?:out|examples)\//;
const PMCTL = `'${process.execPath}' '${join(ROOT, "apps/server/dist/pmctl.js")}'`;

const TOKEN_OF_ROUTE = `const { token } = await (await fetch("http://" + host + "/pm-token")).json();`;
const TOKEN_OF_SECRET = `
  const signed = new probeJose.SignJWT({ tenant_id: "acme" }).setProtectedHeader({ alg: "HS256" }).setSubject("ada");
  const key = new TextEncoder().encode("a secret of 32 bytes or more, please");
  const token = await signed.setIssuedAt().setExpirationTime("1h").sign(key);`;

const run = promisify(execFile);
let server: PmServer;
let folder: string;

/** The addresses of `pnpm start` and of an app of the reader, which are taken in a test. */
function addressed(code: string): string {
  return code
    .replaceAll("127.0.0.1:8080/pm-token", `${server.host}/dev/token?tenant=acme&user=ada`)
    .replaceAll("127.0.0.1:8080", server.host)
    .replaceAll("127.0.0.1:3000", server.host)
    .replaceAll("127.0.0.1:3001", server.opsHost);
}

/** A server that a snippet starts: it is published to, prints what its subscribers get, and ends. */
function probed(code: string): string {
  if (!code.includes(".listen(8080)")) return code;
  const path = /app\.post\("(?<path>[^"]+)"/.exec(code)?.groups?.["path"]?.replace(":id", "42");
  const getToken = code.includes('"/pm-token"') ? TOKEN_OF_ROUTE : TOKEN_OF_SECRET;
  return `${code.replace(".listen(8080)", '.listen(0, "127.0.0.1", () => void probe())')}
import type { AddressInfo } from "node:net";
import { PmClient } from "@pm/client";
import * as probeJose from "jose";
async function probe() {
  const host = "127.0.0.1:" + (httpServer.address() as AddressInfo).port;
  ${getToken}
  const client = new PmClient({ url: "ws://" + host + "/ws", getToken: () => token });
  await client.connect();
  for (const name of ["project:42", "user", "tenant"]) {
    const channel = client.channel(name);
    channel.on("publication", ({ event, data }) => console.log(name, event, JSON.stringify(data)));
    await channel.subscribe();
  }
  const headers = { authorization: "Bearer " + token, "content-type": "application/json" };
  await fetch("http://" + host + "${path}", { method: "POST", headers, body: '{"text":"hello"}' });
  await client.channel("user").history();
  await pm.drain({ graceSecs: 0, windowSecs: 0 }, () => httpServer.close());
  await client.close();
}
`;
}

async function runTypeScript({ code, line }: DocsBlock, page: string): Promise<string[]> {
  const file = join(folder, `${page.replaceAll(/\W/g, "-")}-${line}.ts`);
  writeFileSync(file, probed(addressed(code)));
  const { stdout } = await run(process.execPath, [file], { timeout: 15_000 });
  return stdout.trimEnd().split("\n");
}

/** A shell as a reader has it, with the tool of this checkout. */
async function runShell(code: string): Promise<string> {
  const script = addressed(code).replaceAll("npx --yes pnpm@12 --silent pmctl", PMCTL);
  const { stdout } = await run("bash", ["-euo", "pipefail", "-c", withUrl(script)], {
    cwd: folder,
    env: shellEnvironment(),
  });
  return stdout;
}

function withUrl(script: string): string {
  return script.replaceAll(/pmctl\.js' (listen|publish)/g, `pmctl.js' $1 --url ws://${server.host}/ws`);
}

function shellEnvironment(): NodeJS.ProcessEnv {
  return {
    PATH: process.env["PATH"],
    NODE_ENV: "development",
    DATA_DIR: join(folder, "data"),
    OPS_BIND_ADDR: server.opsHost,
  };
}

describe.each(PAGES)("%s", (page) => {
  const blocks = blocksOf(page);
  const snippets = blocks.filter(({ language }) => language === "ts");
  const commands = blocks.filter(({ language, code }) => language === "sh" && !TESTED_ELSEWHERE.test(code));

  beforeAll(async () => {
    folder = mkdtempSync(join(import.meta.dirname, "snippets-"));
    server = await startServer({ NODE_ENV: "development", JWT_SECRET: "", DATA_DIR: join(folder, "data") });
  });

  afterAll(async () => {
    await server[Symbol.asyncDispose]();
    rmSync(folder, { recursive: true, force: true });
  });

  it.each(snippets)("given the snippet in line $line, when it is run, then it prints what is said", async (snippet) => {
    const printed = await runTypeScript(snippet, page);
    for (const line of expectedOutput(snippet.code)) expect(printed).toContain(line);
    if (snippet.code.includes(".listen(8080)")) expect(printed).toContain('project:42 task.added {"text":"hello"}');
  });

  it.each(commands)("given the command in line $line, when it is run, then it does what is said", async (command) => {
    if (command.code.includes("pmctl listen")) return expectListening(command.code);
    const printed = await runShell(command.code);
    const next = blocks[blocks.indexOf(command) + 1];
    if (next?.language === "json" && command.code.startsWith("curl")) {
      expect(shapeOf(JSON.parse(printed))).toEqual(shapeOf(JSON.parse(next.code)));
    }
    return undefined;
  });

  it("given its snippets and its JSON, when they are checked, then they pass", async () => {
    for (const { code } of blocks.filter(({ language }) => language === "json")) JSON.parse(code);
    if (snippets.length === 0) return;
    for (const { code, line } of snippets) {
      writeFileSync(join(folder, `${page.replaceAll(/\W/g, "-")}-${line}.ts`), code);
    }
    const config = { extends: "../../tsconfig.json", compilerOptions: { noUnusedLocals: false }, include: ["*.ts"] };
    writeFileSync(join(folder, "tsconfig.json"), JSON.stringify(config));
    await run(join(ROOT, "node_modules/.bin/tsc"), ["-p", folder]).catch(({ stdout }: { readonly stdout: string }) =>
      expect(stdout).toBe(""),
    );
  });
});

/** It goes on until it is ended; what is published appears. */
async function expectListening(code: string): Promise<void> {
  const args = code.trim().replace("npx --yes pnpm@12 --silent pmctl ", "").split(" ");
  await using listener = new Child("apps/server/dist/pmctl.js", {
    args: [args[0] ?? "", "--url", `ws://${server.host}/ws`, ...args.slice(1)],
    env: shellEnvironment(),
  });
  await listener.noted(/listening to project:42/);
  await runShell(`npx --yes pnpm@12 --silent pmctl publish --tenant acme project:42 '{"text":"hello"}'`);
  await runShell(`npx --yes pnpm@12 --silent pmctl publish --tenant globex project:42 '{"text":"of another tenant"}'`);
  await listener.printed(/project:42 .*\{"text":"hello"\}/);
  expect(listener.output).not.toContain("another tenant");
  listener.signal("SIGINT");
  expect(await listener.exited).toBe(0);
}
