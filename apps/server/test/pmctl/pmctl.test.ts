import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync } from "node:fs";
import { type AddressInfo, createServer, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { decodeJwt, decodeProtectedHeader, jwtVerify } from "jose";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { PMCTL, PmctlProcess, pmctl } from "./pmctl-process.ts";

const SECRET = "a-secret-of-more-than-thirty-two-bytes";

describe("pmctl", () => {
  it("given a wrong call when it is run then it says what is wrong in one line and exits with 2", async () => {
    const { code, stdout, stderr } = await pmctl(["tokn"]);
    expect({ code, stdout, stderr }).toEqual({
      code: 2,
      stdout: "",
      stderr: "pmctl: unknown command 'tokn' (Did you mean token?)\n",
    });
  });

  it.each([[], ["token"], ["listen"], ["publish"], ["check-config"]])(
    "given %s --help when it is run then there is an example",
    async (...command) => {
      const { code, stdout, stderr } = await pmctl([...command, "--help"]);
      expect(stdout).toMatch(/Example:\n {2}\$ .*pmctl /);
      expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    },
  );

  it("given an environment that is no configuration when a token is wanted then all problems are told, and it exits with 1", async () => {
    const { code, stdout, stderr } = await pmctl(["token", "--tenant", "acme"], {
      env: { JWT_SECRT: "x", LOG_LEVEL: "loud" },
    });
    expect(stderr.trimEnd().split("\n")).toEqual([
      "pmctl: JWT_SECRT: is no setting, expected JWT_SECRET",
      'pmctl: LOG_LEVEL: is "loud", expected error, warn, info or debug',
      expect.stringContaining("pmctl: JWT_SECRET: is absent"),
    ]);
    expect({ code, stdout }).toEqual({ code: 1, stdout: "" });
  });
});

describe("pmctl token", () => {
  let folder: string;

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "pmctl-"));
  });

  afterEach(() => rmSync(folder, { recursive: true }));

  it("given a secret when a token is made then it alone is on the standard output, with every claim that was asked for", async () => {
    const args = [
      "token",
      "--tenant",
      "acme",
      "--user",
      "alice",
      "--role",
      "editor",
      "--role",
      "admin",
      "--ttl",
      "12h",
    ];
    const grants = ["--grant", "subscribe,publish:project:*", "--grant", "all:lobby"];
    const env = { JWT_SECRET: SECRET, JWT_ISSUER: "https://idp.example", JWT_AUDIENCE: "pm" };
    const { code, stdout, stderr } = await pmctl([...args, ...grants], { env });
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    expect(stdout).toMatch(/^[\w-]+\.[\w-]+\.[\w-]+\n$/);
    const { payload } = await jwtVerify(stdout.trim(), Buffer.from(SECRET), {
      issuer: "https://idp.example",
      audience: "pm",
    });
    expect(decodeProtectedHeader(stdout.trim())).toEqual({ alg: "HS256", typ: "JWT" });
    expect(payload).toEqual({
      tenant_id: "acme",
      sub: "alice",
      roles: ["editor", "admin"],
      channels: [
        { pattern: "project:*", allow: ["subscribe", "publish"] },
        { pattern: "lobby", allow: ["subscribe", "publish", "history"] },
      ],
      iss: "https://idp.example",
      aud: "pm",
      iat: expect.any(Number),
      exp: (payload.iat ?? 0) + 12 * 3600,
    });
  });

  it("given nothing but a tenant when a token is made then it has no roles and no channels, and is good for an hour", async () => {
    const { stdout } = await pmctl(["token", "--tenant", "acme"], { env: { JWT_SECRET: SECRET } });
    const { iat = 0, ...claims } = decodeJwt(stdout.trim());
    expect(claims).toEqual({ tenant_id: "acme", sub: "pmctl", exp: iat + 3600 });
  });

  it("given development when a token is made then the secret of the data folder signs it, kept for its owner alone", async () => {
    const env = { NODE_ENV: "development", DATA_DIR: folder };
    const { code, stdout } = await pmctl(["token", "--tenant", "acme"], { env });
    const path = join(folder, "dev-secret");
    expect(code).toBe(0);
    expect(statSync(path).mode & 0o777).toBe(0o600);
    await jwtVerify(stdout.trim(), Buffer.from(readFileSync(path, "utf8").trim()));
  });

  it("given a short secret when a token is made then it is made, with a warning on the standard error", async () => {
    const { code, stdout, stderr } = await pmctl(["token", "--tenant", "acme"], { env: { JWT_SECRET: "test" } });
    await jwtVerify(stdout.trim(), Buffer.from("test"));
    expect(stderr).toMatch(/^pmctl: warning: JWT_SECRET: has 4 bytes[^\n]+\n$/);
    expect(code).toBe(0);
  });

  it("given keys that only verify when a token is wanted then it says so and exits with 1", async () => {
    const { code, stderr } = await pmctl(["token", "--tenant", "acme"], {
      env: { JWKS_URL: "https://idp.example/keys" },
    });
    expect({ code, stderr }).toEqual({
      code: 1,
      stderr: "pmctl: JWKS_URL only verifies tokens: get one from your issuer\n",
    });
  });
});

describe("pmctl check-config", () => {
  it("given a configuration when it is checked then every setting is printed, and no secret", async () => {
    const env = { JWT_SECRET: SECRET, BIND_ADDR: "[::]:0", OPS_KEY: "operators-only" };
    const { code, stdout } = await pmctl(["check-config"], { env });
    expect(code).toBe(0);
    expect(stdout).toMatch(/^BIND_ADDR +\[::\]:0 +environment$/m);
    expect(stdout).toMatch(/^JWT_SECRET +hidden +environment$/m);
    expect(stdout).toMatch(/^DRAIN_WINDOW_SECS +20 seconds +default$/m);
    expect(stdout).not.toMatch(/a-secret|operators-only/);
  });

  it("given --json when it is checked then settings and warnings are JSON", async () => {
    const { code, stdout, stderr } = await pmctl(["check-config", "--json"], { env: { JWT_SECRET: "test" } });
    const { settings, warnings } = JSON.parse(stdout) as { settings: unknown[]; warnings: string[] };
    expect(settings).toContainEqual({ name: "LOG_LEVEL", value: "info", unit: "", source: "default" });
    expect(warnings).toContainEqual(expect.stringContaining("JWT_SECRET: has 4 bytes"));
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
  });

  it("given mistakes when it is checked then each is a line, and it exits with 1", async () => {
    const { code, stdout, stderr } = await pmctl(["check-config"], {
      env: { NODE_ENV: "prod", BIND_ADDR: "x", DATA_DIRR: "y" },
    });
    expect(
      stderr
        .trimEnd()
        .split("\n")
        .map((line) => line.split(":")[1]),
    ).toEqual([" DATA_DIRR", " NODE_ENV", " BIND_ADDR", " JWT_SECRET"]);
    expect({ code, stdout }).toEqual({ code: 1, stdout: "" });
  });
});

describe("Ctrl-C", () => {
  it("given a call that has no answer, when it comes, then the call ends, and the exit is 1", async () => {
    const silent = createServer().listen(0, "127.0.0.1");
    await once(silent, "listening");
    const url = `http://127.0.0.1:${(silent.address() as AddressInfo).port}`;
    await using asking = new PmctlProcess(["tenant", "list", "--ops-url", url]);
    const [socket] = (await once(silent, "connection")) as [Socket];
    asking.signal("SIGINT");
    const { code, stderr } = await asking.ended();
    expect([code, stderr]).toEqual([1, "pmctl: interrupted; whether it was done is unknown\n"]);
    socket.destroy();
    silent.close();
  });

  it("given a standard input that does not end, when it comes, then the exit is 1", async () => {
    await using reading = new PmctlProcess(["publish", "--tenant", "acme", "a"], { stdin: { kind: "open" } });
    // More than a pipe holds: it has been read, so the program has begun.
    await reading.write("x".repeat(1_000_000));
    reading.signal("SIGINT");
    expect(await reading.ended()).toMatchObject({ code: 1, stderr: "pmctl: interrupted\n" });
  });
});

describe("an output that cannot be written", () => {
  it.skipIf(!existsSync("/dev/full"))("given a full disk, when a token is made, then the exit is 1", async () => {
    const shell = spawn("sh", ["-c", `"$1" "$2" token --tenant acme > /dev/full`, "sh", process.execPath, PMCTL], {
      env: { PATH: process.env["PATH"], JWT_SECRET: "s".repeat(32) },
      stdio: "ignore",
    });
    expect(await once(shell, "close")).toEqual([1, null]);
  });
});
