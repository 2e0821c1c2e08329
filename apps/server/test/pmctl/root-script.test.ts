import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { jwtVerify } from "jose";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { PmctlProcess, pmctl } from "./pmctl-process.ts";
import { ScriptedServer } from "./scripted-server.ts";

const program = join(import.meta.dirname, "../../../../scripts/pmctl.ts");

describe("the root script pmctl", () => {
  let folder: string;

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "pmctl-root-"));
  });

  afterEach(() => rmSync(folder, { recursive: true }));

  it.each([{}, { NODE_ENV: "" }])("given %j when a token is made then it is one of development", async (env) => {
    const result = await pmctl(["token", "--tenant", "acme"], { program, env: { ...env, DATA_DIR: folder } });
    await jwtVerify(result.stdout.trim(), Buffer.from(readFileSync(join(folder, "dev-secret"), "utf8").trim()));
    expect(result).toMatchObject({ code: 0, stderr: "" });
  });

  it("given production when a token is made then no secret is made up", async () => {
    const env = { NODE_ENV: "production", DATA_DIR: folder };
    expect(await pmctl(["token", "--tenant", "acme"], { program, env })).toMatchObject({ code: 1, stdout: "" });
  });

  it("given no NODE_ENV when the configuration is checked then it is that of production, which needs a key", async () => {
    const { code, stderr } = await pmctl(["check-config"], { program, env: { DATA_DIR: folder } });
    expect([code, stderr]).toEqual([1, expect.stringContaining("JWT_SECRET: is absent")]);
  });

  it("given development when the configuration is checked then no secret is kept", async () => {
    const env = { NODE_ENV: "development", DATA_DIR: folder };
    expect(await pmctl(["check-config"], { program, env })).toMatchObject({ code: 0, stderr: "" });
    expect(readdirSync(folder)).toEqual([]);
  });

  it("given a wrong call when it is run then the exit code is that of the tool", async () => {
    expect(await pmctl(["tokn"], { program })).toMatchObject({ code: 2 });
  });

  it("given SIGINT when it listens then it ends with 0", async () => {
    await using server = await ScriptedServer.start((connection) => connection.welcome());
    await using listening = new PmctlProcess(["listen", "--token", "t", "--url", server.url], { program });
    await listening.has("connected as pmctl of acme");
    listening.signal("SIGINT");
    expect(await listening.ended()).toMatchObject({ code: 0 });
  });
});
