import { generateKeyPairSync } from "node:crypto";
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { ManualClock } from "@pm/core/testing";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { createLimiters } from "../create-limiters.ts";
import { ConfigError } from "./config-error.ts";
import type { Environment } from "./environment.ts";
import type { Machine } from "./machine.ts";
import { readConfig } from "./read-config.ts";
import { SETTINGS } from "./settings.ts";

const SECRET = "a-secret-of-more-than-thirty-two-bytes";
/** Values that are wrong where a text with a space would do. */
const WRONG: Readonly<Record<string, string>> = {
  DATA_DIR: "/dev/null/data",
  JWT_SECRET: "-----BEGIN PUBLIC KEY-----",
};
const MACHINE: Machine = { stdoutIsTerminal: false, openFileLimit: undefined };

function problemsOf(env: Environment, machine = MACHINE): readonly string[] {
  try {
    readConfig(env, machine);
    return [];
  } catch (error) {
    if (error instanceof ConfigError) return error.problems;
    throw error;
  }
}

describe("readConfig", () => {
  let folder: string;

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "pm-config-"));
  });

  afterEach(() => rmSync(folder, { recursive: true }));

  it("given a secret alone when it is read then everything else is the default", () => {
    expect(readConfig({ JWT_SECRET: SECRET, PATH: "/bin" }, MACHINE)).toEqual({
      nodeEnv: undefined,
      bindAddr: { host: "0.0.0.0", port: 3000 },
      opsBindAddr: { host: "127.0.0.1", port: 3001 },
      opsKey: undefined,
      dataDir: resolve("data"),
      tokenKey: { kind: "secret", secret: SECRET, origin: { kind: "environment" } },
      jwtIssuer: undefined,
      jwtAudience: undefined,
      defaultGrants: "allow",
      maxConnectionsPerTenant: 1000,
      maxTotalConnections: 10_000,
      rateLimitRequests: 100,
      rateLimitWindowSecs: 60,
      tenantPublicationsPerSec: 0,
      tenantBytesPerSec: 0,
      maxMessageBytes: 65_536,
      maxSubscriptions: 128,
      wsSendBufferSize: 1_048_576,
      broadcastCapacity: 1000,
      broadcastRetentionBytes: 1_048_576,
      broadcastRetentionSecs: 300,
      tenantLogBytes: 67_108_864,
      totalLogBytes: 536_870_912,
      channelKinds: {
        defaults: { retainedCount: 1000, retainedBytes: 1_048_576, retainedSecs: 300 },
        kinds: {},
      },
      heartbeatIntervalSecs: 25,
      heartbeatTimeoutSecs: 10,
      drainGraceSecs: 2,
      drainWindowSecs: 20,
      drainDeadlineSecs: 25,
      allowedOrigins: [],
      corsOrigins: [],
      trustedProxies: [],
      tenantValidation: "off",
      logLevel: "info",
      logColored: false,
      warnings: [],
    });
  });

  it("given many mistakes when it is read then all are told at once, each with what was given and what is expected", () => {
    const env = {
      BIND_ADDR: "3000",
      DATA_DR: "/tmp",
      LOG_LEVEL: "verbose",
      MAX_SUBSCRIPTIONS: "many",
      DRAIN_WINDOW_SECS: "30",
      TENANT_LOG_BYTES: "1GiB",
      ALLOWED_ORIGINS: "https://a.example/x, b.example",
      CHANNEL_KINDS: '{"project":{"retainedCount":0}}',
    };
    expect(problemsOf(env)).toEqual([
      "DATA_DR: is no setting, expected DATA_DIR",
      'BIND_ADDR: is "3000", expected host:port or [IPv6]:port',
      'MAX_SUBSCRIPTIONS: is "many", expected a whole number from 1 to 10000',
      "CHANNEL_KINDS: project.retainedCount is wrong: too small: expected number to be >=1",
      'ALLOWED_ORIGINS: has "https://a.example/x", expected origins like https://app.example.com',
      'ALLOWED_ORIGINS: has "b.example", expected origins like https://app.example.com',
      'LOG_LEVEL: is "verbose", expected error, warn, info or debug',
      "DRAIN_WINDOW_SECS: is 30, expected at most DRAIN_DEADLINE_SECS (25)",
      "TENANT_LOG_BYTES: is 1073741824, expected at most TOTAL_LOG_BYTES (536870912)",
      "JWT_SECRET: is absent, expected exactly one of JWT_SECRET, JWT_PUBLIC_KEY and JWKS_URL, or NODE_ENV=development",
    ]);
  });

  it("given a wrong value in every setting that can be wrong when it is read then each is named", () => {
    const anything = ["JWT_ISSUER", "JWT_AUDIENCE"];
    const wrong = Object.values(SETTINGS).map(({ name }) => [name, WRONG[name] ?? "a b"]);
    const problems = problemsOf(Object.fromEntries(wrong));
    const named = problems.map((problem) => problem.split(":")[0]);
    expect(named).toEqual([
      ...Object.values(SETTINGS)
        .map(({ name }) => name)
        .filter((name) => !anything.includes(name)),
      "JWT_SECRET and JWT_PUBLIC_KEY and JWKS_URL",
    ]);
  });

  it("given a wrong secret value when it is read then no part of it is told", () => {
    const secrets = { JWT_SECRET: `-----BEGIN RSA ${SECRET}`, OPS_KEY: `two words ${SECRET}` };
    const problems = problemsOf(secrets);
    expect(problems).toHaveLength(2);
    expect(problems.join()).toContain("OPS_KEY: is hidden (48 characters), expected");
    expect(problems.join()).not.toContain(SECRET.slice(0, 8));
  });

  it.each([
    ["https://user:hunter2@idp.example/keys?key=hunter2", 'JWKS_URL: is "https://idp.example/keys", expected'],
    ["idp.example/keys?key=hunter2", "JWKS_URL: is no URL (28 characters), expected"],
    ["idp:hunter2@example", "JWKS_URL: is no URL (19 characters), expected"],
    [
      `https://:hunter2@idp.example/${"k".repeat(100)}`,
      `JWKS_URL: is "https://idp.example/${"k".repeat(60)}", expected`,
    ],
  ])("given the wrong URL %s when it is read then it is told without what may be secret", (url, told) => {
    expect(problemsOf({ JWKS_URL: url })).toEqual([expect.stringContaining(told)]);
  });

  it.each([` ${SECRET}`, `${SECRET}\n`, `"${SECRET}"`, `'${SECRET}'`])(
    "given the secret %j when it is read then its end is warned of, and refused in production",
    (secret) => {
      const told = "JWT_SECRET: begins or ends with white space or a quote";
      expect(readConfig({ JWT_SECRET: secret }, MACHINE).warnings).toEqual([expect.stringContaining(told)]);
      expect(problemsOf({ JWT_SECRET: secret, NODE_ENV: "production" })).toEqual([expect.stringContaining(told)]);
    },
  );

  it("given blank and padded values when it is read then blank is absent and spaces are cut, but not of a secret", () => {
    const env = { JWT_SECRET: ` ${SECRET} `, JWT_PUBLIC_KEY: "", JWKS_URL: "  ", LOG_LEVEL: " warn ", BIND_ADDR: "" };
    const config = readConfig(env, MACHINE);
    expect(config.tokenKey).toMatchObject({ kind: "secret", secret: ` ${SECRET} ` });
    expect(config).toMatchObject({ logLevel: "warn", bindAddr: { port: 3000 } });
  });

  it("given a variable that is there without a value when it is read then it is not looked at", () => {
    expect(problemsOf({ JWT_SECRET: SECRET, DRAIN_GRACE_SEC: undefined })).toEqual([]);
  });

  it("given a wrong text of 80 characters when it is read then all of it is told, and of a longer one so much", () => {
    const wrong = "x".repeat(80);
    expect(problemsOf({ JWT_SECRET: SECRET, LOG_LEVEL: wrong })).toEqual([expect.stringContaining(`is "${wrong}", `)]);
    expect(problemsOf({ JWT_SECRET: SECRET, LOG_LEVEL: `${wrong}y` })).toEqual([
      expect.stringContaining(`is "${wrong}"…, `),
    ]);
  });

  it("given a NODE_ENV that is none of the known when it is read then it is refused", () => {
    expect(problemsOf({ JWT_SECRET: SECRET, NODE_ENV: "prod" })).toEqual([
      'NODE_ENV: is "prod", expected development, production or test',
    ]);
  });

  describe("keys", () => {
    const { publicKey } = generateKeyPairSync("rsa", {
      modulusLength: 2048,
      publicKeyEncoding: { type: "spki", format: "pem" },
      privateKeyEncoding: { type: "pkcs8", format: "pem" },
    });

    it("given two keys when it is read then both are named", () => {
      expect(problemsOf({ JWT_SECRET: SECRET, JWT_PUBLIC_KEY: publicKey })).toEqual([
        "JWT_SECRET and JWT_PUBLIC_KEY: are set together, expected exactly one of JWT_SECRET, JWT_PUBLIC_KEY and JWKS_URL",
      ]);
    });

    it("given keys that are wrong, each in its way, when it is read then all is told at once", () => {
      const env = { NODE_ENV: "production", JWT_SECRET: "short", JWT_PUBLIC_KEY: "nonsense" };
      expect(problemsOf(env)).toEqual([
        "JWT_PUBLIC_KEY: is something else, expected a public RSA key in PEM of 2048 bits or more",
        "JWT_SECRET and JWT_PUBLIC_KEY: are set together, expected exactly one of JWT_SECRET, JWT_PUBLIC_KEY and JWKS_URL",
        "JWT_SECRET: has 5 bytes, expected at least 32 when NODE_ENV=production",
      ]);
    });

    it("given one key alone, and wrong, when it is read then that is all", () => {
      expect(problemsOf({ JWT_PUBLIC_KEY: "nonsense" })).toHaveLength(1);
      expect(problemsOf({ NODE_ENV: "development", DATA_DIR: folder, JWKS_URL: "nonsense" })).toHaveLength(1);
      expect(existsSync(join(folder, "dev-secret"))).toBe(false);
    });

    it("given a public key or a key set when it is read then that is the key", () => {
      expect(readConfig({ JWT_PUBLIC_KEY: publicKey }, MACHINE).tokenKey).toEqual({
        kind: "publicKey",
        pem: publicKey.trim(),
      });
      const { tokenKey, warnings } = readConfig({ JWKS_URL: "https://idp.example/keys" }, MACHINE);
      expect(tokenKey).toEqual({ kind: "jwks", url: "https://idp.example/keys" });
      expect(warnings).toEqual([]);
    });

    it("given a key set in clear text when it is read then there is a warning, unless it is on this machine", () => {
      expect(readConfig({ JWKS_URL: "http://idp.example/keys" }, MACHINE).warnings).toHaveLength(1);
      for (const host of ["127.0.0.1", "127.1.2.3", "localhost", "[::1]"]) {
        expect(readConfig({ JWKS_URL: `http://${host}:9/keys` }, MACHINE).warnings).toEqual([]);
      }
    });

    it.each([undefined, "development", "test"])(
      "given a short secret and NODE_ENV %s when it is read then there is a warning",
      (nodeEnv) => {
        const config = readConfig({ JWT_SECRET: "test", NODE_ENV: nodeEnv }, MACHINE);
        expect(config.warnings).toEqual([expect.stringContaining("JWT_SECRET: has 4 bytes")]);
      },
    );

    it("given a short secret in production when it is read then it is refused; bytes count, not characters", () => {
      expect(problemsOf({ JWT_SECRET: "test", NODE_ENV: "production" })).toEqual([
        "JWT_SECRET: has 4 bytes, expected at least 32 when NODE_ENV=production",
      ]);
      expect(problemsOf({ JWT_SECRET: "é".repeat(16), NODE_ENV: "production" })).toEqual([]);
    });

    it.each([undefined, "production", "test"])(
      "given no key and NODE_ENV %s when it is read then it is refused",
      (nodeEnv) => {
        expect(problemsOf({ NODE_ENV: nodeEnv, DATA_DIR: folder })).toHaveLength(1);
        expect(existsSync(join(folder, "dev-secret"))).toBe(false);
      },
    );
  });

  describe("development", () => {
    it("given no key when it is read twice then the secret of the data folder is used both times", () => {
      const env = { NODE_ENV: "development", DATA_DIR: folder };
      const { tokenKey, bindAddr } = readConfig(env, MACHINE);
      const path = join(folder, "dev-secret");
      expect(tokenKey).toEqual({
        kind: "secret",
        secret: readFileSync(path, "utf8").trim(),
        origin: { kind: "file", path, isByDefault: false },
      });
      expect(readConfig(env, MACHINE).tokenKey).toEqual(tokenKey);
      expect(bindAddr).toEqual({ host: "127.0.0.1", port: 3000 });
    });

    it("given BIND_ADDR when it is read then it wins", () => {
      const env = { NODE_ENV: "development", DATA_DIR: folder, BIND_ADDR: "[::]:0" };
      expect(readConfig(env, MACHINE).bindAddr).toEqual({ host: "::", port: 0 });
    });

    it("given another mistake when it is read then no secret is made", () => {
      expect(problemsOf({ NODE_ENV: "development", DATA_DIR: folder, LOG_LEVEL: "x" })).toHaveLength(1);
      expect(existsSync(join(folder, "dev-secret"))).toBe(false);
    });

    it("given a folder that cannot be one when it is read then that alone is told", () => {
      expect(problemsOf({ NODE_ENV: "development", DATA_DIR: "/dev/null/data" })).toEqual([
        expect.stringMatching(/^DATA_DIR: is /),
      ]);
    });

    it("given a secret that others can read when it is read then there is a warning", () => {
      const env = { NODE_ENV: " development ", DATA_DIR: folder };
      expect(readConfig(env, MACHINE)).toMatchObject({ bindAddr: { host: "127.0.0.1" }, warnings: [] });
      chmodSync(join(folder, "dev-secret"), 0o644);
      expect(readConfig(env, MACHINE).warnings).toEqual([expect.stringMatching(/^DATA_DIR: .* had mode 0644/)]);
    });

    it("given a secret that cannot be made when it is read then it is a problem like others", () => {
      mkdirSync(join(folder, "dev-secret"));
      const [problem, ...others] = problemsOf({ NODE_ENV: "development", DATA_DIR: folder });
      expect(problem).toMatch(/^DATA_DIR: the development secret cannot be kept: /);
      expect(others).toEqual([]);
    });

    it("given a broken secret beside another mistake when it is read then both are told, and nothing is changed", () => {
      const path = join(folder, "dev-secret");
      writeFileSync(path, "short", { mode: 0o644 });
      expect(problemsOf({ NODE_ENV: "development", DATA_DIR: folder, LOG_LEVEL: "x" })).toEqual([
        expect.stringContaining("LOG_LEVEL: "),
        `DATA_DIR: the development secret cannot be kept: ${path} does not hold a secret: delete it, and a new one is made`,
      ]);
      expect(statSync(path).mode & 0o777).toBe(0o644);
    });
  });

  describe("settings against each other", () => {
    it("given an operations listener off the loopback when it is read then a key is required", () => {
      const env = { JWT_SECRET: SECRET, OPS_BIND_ADDR: "0.0.0.0:3001" };
      expect(problemsOf(env)).toEqual([
        "OPS_KEY: is absent, expected a key, since OPS_BIND_ADDR (0.0.0.0:3001) is not a loopback address",
      ]);
      expect(readConfig({ ...env, OPS_KEY: "operator" }, MACHINE).opsKey).toBe("operator");
      expect(problemsOf({ ...env, OPS_KEY: "two words" })).toHaveLength(1);
    });

    it("given both listeners on one port when it is read then it is refused", () => {
      expect(problemsOf({ JWT_SECRET: SECRET, BIND_ADDR: "0.0.0.0:3001" })).toEqual([
        "OPS_BIND_ADDR: is 127.0.0.1:3001, expected another port than that of BIND_ADDR (0.0.0.0:3001)",
      ]);
      expect(problemsOf({ JWT_SECRET: SECRET, BIND_ADDR: "127.0.0.1:0", OPS_BIND_ADDR: "127.0.0.1:0" })).toEqual([]);
    });

    it("given a drain of which a part is longer than the whole when it is read then each is refused", () => {
      const env = { JWT_SECRET: SECRET, DRAIN_GRACE_SECS: "6", DRAIN_WINDOW_SECS: "7", DRAIN_DEADLINE_SECS: "5" };
      expect(problemsOf(env)).toEqual([
        "DRAIN_GRACE_SECS: is 6, expected at most DRAIN_DEADLINE_SECS (5)",
        "DRAIN_WINDOW_SECS: is 7, expected at most DRAIN_DEADLINE_SECS (5)",
      ]);
    });

    it("given a rate that no limiter can count when it is read then it is refused, and the largest is taken", () => {
      const env = { JWT_SECRET: SECRET, RATE_LIMIT_REQUESTS: "1000000", RATE_LIMIT_WINDOW_SECS: "4000.001" };
      expect(problemsOf(env)).toEqual([
        "RATE_LIMIT_WINDOW_SECS: is 4000.001, expected at most 4000 where RATE_LIMIT_REQUESTS is 1000000",
      ]);
      const config = readConfig({ ...env, RATE_LIMIT_WINDOW_SECS: "4000" }, MACHINE);
      expect(() => createLimiters(config, undefined, new ManualClock())).not.toThrow();
    });

    it("given a rate that no limiter can count when it is refused then the window told can be counted", () => {
      const env = { JWT_SECRET: SECRET, RATE_LIMIT_REQUESTS: "70000", RATE_LIMIT_WINDOW_SECS: "86400" };
      expect(problemsOf(env)).toEqual([expect.stringContaining("expected at most 57142.857 where")]);
    });

    it("given settings that just fit each other when it is read then nothing is said", () => {
      const env = {
        JWT_SECRET: SECRET,
        MAX_CONNECTIONS_PER_TENANT: "10000",
        DRAIN_GRACE_SECS: "0",
        DRAIN_WINDOW_SECS: "25",
        HEARTBEAT_INTERVAL_SECS: "10",
        TENANT_LOG_BYTES: "512MiB",
      };
      expect(readConfig(env, MACHINE).warnings).toEqual([]);
    });

    it("given settings that are hardly meant when it is read then there are warnings", () => {
      const env = {
        JWT_SECRET: SECRET,
        MAX_CONNECTIONS_PER_TENANT: "20000",
        DRAIN_GRACE_SECS: "10",
        HEARTBEAT_INTERVAL_SECS: "5",
      };
      expect(readConfig(env, MACHINE).warnings.map((warning) => warning.split(":")[0])).toEqual([
        "MAX_CONNECTIONS_PER_TENANT",
        "DRAIN_DEADLINE_SECS",
        "HEARTBEAT_TIMEOUT_SECS",
      ]);
    });

    it.each([
      [1024, 768],
      [100, 75],
      [1, 1],
    ])(
      "given a limit of %i open files when it is read then there are %i connections, with a warning",
      (limit, expected) => {
        const config = readConfig({ JWT_SECRET: SECRET }, { ...MACHINE, openFileLimit: limit });
        expect(config.maxTotalConnections).toBe(expected);
        expect(config.warnings).toContainEqual(expect.stringContaining(`lowered to ${expected}`));
      },
    );

    it("given enough open files when it is read then nothing is lowered", () => {
      const config = readConfig({ JWT_SECRET: SECRET }, { ...MACHINE, openFileLimit: 10_256 });
      expect(config).toMatchObject({ maxTotalConnections: 10_000, warnings: [] });
    });
  });

  it("given retention by settings and by kind when it is read then the kinds win over * and that over the settings", () => {
    const env = {
      JWT_SECRET: SECRET,
      BROADCAST_CAPACITY: "50",
      BROADCAST_RETENTION_SECS: "60",
      CHANNEL_KINDS: '{"*":{"retainedCount":20},"project":{"retainedCount":5}}',
    };
    expect(readConfig(env, MACHINE).channelKinds).toEqual({
      defaults: { retainedCount: 20, retainedBytes: 1_048_576, retainedSecs: 60 },
      kinds: { project: { retainedCount: 5 } },
    });
  });

  it("given a terminal when it is read then logs are coloured unless told otherwise", () => {
    const terminal = { ...MACHINE, stdoutIsTerminal: true };
    expect(readConfig({ JWT_SECRET: SECRET }, terminal).logColored).toBe(true);
    expect(readConfig({ JWT_SECRET: SECRET, LOG_COLORED: "false" }, terminal).logColored).toBe(false);
    expect(readConfig({ JWT_SECRET: SECRET, LOG_COLORED: "true" }, MACHINE).logColored).toBe(true);
  });
});
