import { execFile, execFileSync } from "node:child_process";
import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { jsonOf, ProtocolClient } from "../support/protocol-client.ts";
import { OpsServer } from "./ops-server.ts";

const run = promisify(execFile);
const README = readFileSync(join(import.meta.dirname, "../../README.md"), "utf8");
const SNIPPET = join(import.meta.dirname, "readme-snippet.generated.ts");
const OPS_KEY = "a-key-of-the-operations-listener";

let server: OpsServer;

beforeAll(async () => {
  server = await OpsServer.start({ OPS_KEY });
});

afterAll(async () => {
  rmSync(SNIPPET, { force: true });
  await server[Symbol.asyncDispose]();
});

/** The blocks of code of one language, in their order. */
function blocks(language: string): string[] {
  const found = README.matchAll(new RegExp(`^\`\`\`${language}\\n(?<code>[\\s\\S]*?)^\`\`\`$`, "gm"));
  return Array.from(found, ({ groups }) => groups?.["code"] ?? "");
}

function hasCurl(): boolean {
  try {
    execFileSync("curl", ["--version"]);
    return true;
  } catch {
    return false;
  }
}

describe("the README", () => {
  it.skipIf(!hasCurl())("given its curl line, when it is run twice, then the publication arrives once", async () => {
    await using client = await ProtocolClient.connect(server);
    await client.subscribe("project:42");
    const line = blocks("sh").find((block) => block.startsWith("curl")) ?? "";
    const command = line.replace("http://127.0.0.1:3001", server.opsUrl);
    const outputs = [];
    for (let n = 0; n < 2; n += 1)
      outputs.push((await run("sh", ["-c", command], { env: { ...process.env, OPS_KEY } })).stdout);
    const publication = await client.take("publication");
    expect(jsonOf(publication)).toBe('{"text":"hello"}');
    const [first, second] = outputs.map((output) => JSON.parse(output) as object);
    expect(first).toMatchObject({ position: { offset: "1" }, messageId: publication.messageId });
    expect(second).toEqual({ ...first, duplicate: true });
  });

  it("given its snippet, when it is run, then it prints what its reader expects", async () => {
    await using alice = await ProtocolClient.connect(server, { user: "alice" });
    await alice.subscribe("user");
    const [snippet = ""] = blocks("ts");
    writeFileSync(SNIPPET, snippet);
    const { stdout } = await run(process.execPath, [SNIPPET], {
      env: { ...process.env, OPS_URL: server.opsUrl, OPS_KEY },
    });
    expect(stdout.trimEnd().split("\n")).toEqual([
      "offset 1, duplicate false",
      "TENANT_UNKNOWN The tenant is not known.",
    ]);
    expect(jsonOf(await alice.take("publication"))).toBe('{"text":"hello"}');
  });

  it("given its commands of pmctl, when they are run, then each does what it says", async () => {
    const pmctl = join(import.meta.dirname, "../../dist/pmctl.js");
    const commands = blocks("sh").find((block) => block.startsWith("pmctl")) ?? "";
    const script = `set -e\npmctl() { '${process.execPath}' '${pmctl}' "$@"; }\n${commands}`;
    const env = { PATH: process.env["PATH"], OPS_KEY, OPS_BIND_ADDR: server.opsUrl.slice("http://".length) };
    const { stdout } = await run("sh", ["-c", script], { env });
    expect(stdout).toMatch(/^tenant +acme$/m);
    expect(stdout).toMatch(/^acme +active +500 +- +- +1000000 +Acme Ltd$/m);
    expect(stdout).toMatch(/^state +suspended$/m);
    expect(stdout).toMatch(/^CONNECTED +TENANT /m);
  });
});
