import { execFile } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, renameSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { OpsServer } from "./ops/ops-server.ts";
import { pmctl } from "./pmctl/pmctl-process.ts";
import { ProtocolClient } from "./support/protocol-client.ts";

const run = promisify(execFile);
const ROOT = join(import.meta.dirname, "../../..");
const DEPLOY_TIMEOUT_MS = 120_000;
/** What pnpm and npm say when there is no network and what they need is not on this machine yet. */
const OFFLINE = /ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ENETUNREACH|ETIMEDOUT|META_FETCH_FAIL|NO_OFFLINE/;

let folder: string;
let deployed: string | undefined;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "pm-deploy-"));
  const out = join(folder, "out");
  try {
    await run("npx", ["--yes", "pnpm@12", "--filter", "@pm/server", "deploy", "--prod", out], { cwd: ROOT });
  } catch (error) {
    if (OFFLINE.test(String((error as { readonly stderr?: string }).stderr) + String(error))) return;
    throw error;
  }
  // Nothing may depend on where it was made.
  deployed = join(folder, "moved");
  renameSync(out, deployed);
}, DEPLOY_TIMEOUT_MS);

afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Where the server was deployed to; without a network the test is skipped. */
function deployedOr(skip: (note: string) => never): string {
  return deployed ?? skip("pnpm deploy needs the network");
}

describe("a deployed server", () => {
  it("given the folder that pnpm deploy makes, when plain node starts it elsewhere, then it serves", async ({
    skip,
  }) => {
    const main = join(deployedOr(skip), "dist/main.js");
    await using server = await OpsServer.startScript(main, { NODE_ENV: "production", TENANT_VALIDATION: "directory" });
    expect(await (await server.process.get("/ready")).text()).toBe("Ready");
    await server.ops.createTenant({ tenantId: "acme" });
    await using client = await ProtocolClient.connect(server);
    await client.subscribe("a");
    await server.ops.publish({ tenantId: "acme", target: { case: "channel", value: "a" } });
    expect(await client.take("publication")).toMatchObject({ channel: "a", offset: 1n });
    await client.close();
    expect((await server.process.stop()).code).toBe(0);
  });

  it("given that folder, when its command line tool is run, then it works", async ({ skip }) => {
    const program = join(deployedOr(skip), "dist/pmctl.js");
    const env = { JWT_SECRET: "a-secret-of-more-than-thirty-two-bytes" };
    expect(await pmctl(["token", "--tenant", "acme"], { program, env })).toMatchObject({ code: 0, stderr: "" });
  });

  it("given that folder, when it is looked at, then there is what production needs and nothing to develop with", ({
    skip,
  }) => {
    const root = deployedOr(skip);
    const installed = readdirSync(join(root, "node_modules/.pnpm"));
    expect(installed.filter((name) => /^(?:typescript|vitest|fast-check|supertest|node-linux)/.test(name))).toEqual([]);
    expect(existsSync(join(root, "src"))).toBe(false);
    const own = ["dist", ...["auth", "core", "db", "proto", "ws"].map((name) => `node_modules/@pm/${name}/dist`)];
    const files = own.flatMap((dist) => readdirSync(join(root, dist), { recursive: true })).map(String);
    expect(files.filter((name) => /\.test\.|\.map$/.test(name))).toEqual([]);
    expect(files).toContain("main.js");
  });
});
