import { execFile } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync } from "node:fs";
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
    await run("pnpm", ["--filter", "@pm/server", "deploy", "--prod", out], { cwd: ROOT });
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
    const files = own.flatMap((dist) => readdirSync(join(root, dist), { recursive: true, encoding: "utf8" }));
    expect(files.filter((name) => /\.test\.|\.map$/.test(name))).toEqual([]);
    expect(files).toContain("main.js");
  });
});

describe("the Dockerfile", () => {
  const DOCKERFILE = readFileSync(join(import.meta.dirname, "../Dockerfile"), "utf8");

  it("given its images and its pnpm, when they are read, then they are of versions without known holes, and of the lockfile", () => {
    const images = Array.from(DOCKERFILE.matchAll(/^FROM node:(\d+)\.(\d+)\.(\d+)/gm), (match) =>
      match.slice(1).map(Number),
    );
    expect(images).toHaveLength(2);
    for (const [major = 0, minor = 0, patch = 0] of images) {
      expect(major * 1e6 + minor * 1e3 + patch).toBeGreaterThanOrEqual(24_022_001);
    }
    const { packageManager } = JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8")) as {
      packageManager: string;
    };
    expect(new Set(DOCKERFILE.match(/pnpm@[\d.]+/g))).toEqual(new Set([packageManager]));
    expect(DOCKERFILE).toMatch(/^USER node$/m);
  });

  it("given its health check, when it is run against a server that lives and where there is none, then it says so", async () => {
    const check = JSON.parse(/^ {2}CMD (\[.*\])$/m.exec(DOCKERFILE)?.[1] ?? "[]") as string[];
    const statusAt = async (port: number): Promise<unknown> => {
      const [, ...args] = check.map((part) => part.replace("127.0.0.1:3000", `127.0.0.1:${port}`));
      return run(process.execPath, args).then(
        () => 0,
        ({ code }: { readonly code: unknown }) => code,
      );
    };
    await using server = await OpsServer.start();
    expect([await statusAt(server.process.port), await statusAt(1)]).toEqual([0, 1]);
  });
});

describe("the unit for systemd", () => {
  it("given its time to stop, when it is compared, then it is longer than the longest drain by default", () => {
    const unit = readFileSync(join(import.meta.dirname, "../pm.service"), "utf8");
    expect(Number(/^TimeoutStopSec=(\d+)$/m.exec(unit)?.[1])).toBeGreaterThan(25);
    expect(unit).toMatch(/^ExecStart=\/usr\/bin\/node \/opt\/pm\/dist\/main\.js$/m);
  });
});
