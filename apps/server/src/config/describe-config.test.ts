import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { describeConfig, type SettingDescription } from "./describe-config.ts";
import type { Environment } from "./environment.ts";
import { readConfig } from "./read-config.ts";
import { SETTINGS } from "./settings.ts";

const SECRET = "a-secret-of-more-than-thirty-two-bytes";

function descriptions(env: Environment, openFileLimit?: number): Map<string, SettingDescription> {
  const config = readConfig(env, { stdoutIsTerminal: false, openFileLimit });
  return new Map(describeConfig(config, env).map((description) => [description.name, description]));
}

describe("describeConfig", () => {
  let folder: string;

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "pm-describe-"));
  });

  afterEach(() => rmSync(folder, { recursive: true }));

  it("given any configuration when it is described then every setting is there, in order", () => {
    const found = descriptions({ JWT_SECRET: SECRET });
    expect([...found.keys()]).toEqual(Object.values(SETTINGS).map(({ name }) => name));
    expect(found.get("BIND_ADDR")).toMatchObject({ value: "0.0.0.0:3000", source: "default" });
  });

  it("given values from everywhere when they are described then each says where it is from", () => {
    const env = {
      JWT_SECRET: SECRET,
      OPS_KEY: "operator",
      BIND_ADDR: "[::]:0",
      TENANT_LOG_BYTES: "1MiB",
      CORS_ORIGINS: "https://a.example,https://b.example",
    };
    const found = descriptions(env, 1024);
    expect(found.get("JWT_SECRET")).toMatchObject({ value: "hidden", source: "environment" });
    expect(found.get("OPS_KEY")).toMatchObject({ value: "hidden", source: "environment" });
    expect(found.get("BIND_ADDR")).toMatchObject({ value: "[::]:0", source: "environment" });
    expect(found.get("TENANT_LOG_BYTES")).toEqual({
      name: "TENANT_LOG_BYTES",
      value: "1048576",
      unit: "bytes",
      source: "environment",
    });
    expect(found.get("MAX_TOTAL_CONNECTIONS")).toMatchObject({ value: "768", source: "machine" });
    expect(found.get("CORS_ORIGINS")).toMatchObject({ value: "https://a.example, https://b.example" });
    expect(found.get("ALLOWED_ORIGINS")).toMatchObject({ value: "the same host", source: "default" });
    expect(found.get("LOG_COLORED")).toMatchObject({ value: "false", source: "machine" });
    expect(found.get("CHANNEL_KINDS")?.value).toBe(
      '{"*":{"retainedCount":1000,"retainedBytes":1048576,"retainedSecs":300}}',
    );
  });

  it("given development when it is described then its address and its secret are said to be of development", () => {
    const found = descriptions({ NODE_ENV: "development", DATA_DIR: folder });
    expect(found.get("BIND_ADDR")).toMatchObject({ value: "127.0.0.1:3000", source: "development" });
    expect(found.get("JWT_SECRET")).toMatchObject({ value: "hidden", source: "development" });
    expect(found.get("DATA_DIR")).toMatchObject({ value: folder, source: "environment" });
  });

  it("given secrets when they are described then no part of them is shown", () => {
    const env = { JWKS_URL: "https://idp.example/keys?key=hush", OPS_KEY: "operators-only" };
    const text = JSON.stringify([...descriptions(env).values()]);
    expect(text).toContain("https://idp.example/keys");
    expect(text).not.toMatch(/hush|operators-only/);
  });

  it("given a short secret when it is described then its length is shown", () => {
    expect(descriptions({ JWT_SECRET: "test" }).get("JWT_SECRET")?.value).toBe("hidden (4 bytes)");
    expect(descriptions({ JWT_SECRET: "s".repeat(31) }).get("JWT_SECRET")?.value).toBe("hidden (31 bytes)");
    expect(descriptions({ JWT_SECRET: "s".repeat(32) }).get("JWT_SECRET")?.value).toBe("hidden");
  });
});
