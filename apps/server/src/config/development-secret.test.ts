import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { developmentSecretPath, previewDevelopmentSecret, readDevelopmentSecret } from "./development-secret.ts";

describe("readDevelopmentSecret", () => {
  let folder: string;
  let dataDir: string;

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "pm-secret-"));
    dataDir = join(folder, "deep", "data");
  });

  afterEach(() => rmSync(folder, { recursive: true }));

  it("given no file when it is read then 32 bytes are made, for the owner alone, and nothing else is left", () => {
    const { secret, path, warning } = readDevelopmentSecret(dataDir);
    expect(Buffer.from(secret, "base64url")).toHaveLength(32);
    expect(path).toBe(developmentSecretPath(dataDir));
    expect(statSync(path).mode & 0o777).toBe(0o600);
    expect(warning).toBeUndefined();
    expect(readdirSync(dataDir)).toEqual(["dev-secret"]);
    expect(statSync(dataDir).mode & 0o777).toBe(0o700);
  });

  it("given a file when it is read again then it is the same secret; another folder has another", () => {
    const { secret } = readDevelopmentSecret(dataDir);
    expect(readDevelopmentSecret(dataDir).secret).toBe(secret);
    expect(readDevelopmentSecret(join(folder, "other")).secret).not.toBe(secret);
  });

  it("given a file that appears while one is made when it is read then that one counts, and no draft is left", () => {
    mkdirSync(dataDir, { recursive: true });
    const path = developmentSecretPath(dataDir);
    const others = join(dataDir, "others");
    // What is written as a draft is at once what the path leads to, which led nowhere before.
    symlinkSync(others, `${path}.${process.pid}`);
    symlinkSync(others, path);
    const { secret } = readDevelopmentSecret(dataDir);
    expect(readDevelopmentSecret(dataDir).secret).toBe(secret);
    expect(readdirSync(dataDir)).toEqual(["dev-secret", "others"]);
  });

  it.skipIf(!existsSync("/dev/full"))("given a full disk when it is made then the reason is told", () => {
    mkdirSync(dataDir, { recursive: true });
    symlinkSync("/dev/full", `${developmentSecretPath(dataDir)}.${process.pid}`);
    expect(() => readDevelopmentSecret(dataDir)).toThrow("ENOSPC");
    expect(readdirSync(dataDir)).toEqual([]);
  });

  it("given a file or none when it is only looked at then it is told, and nothing is made", () => {
    expect(previewDevelopmentSecret(dataDir).secret).toMatch(/^[\w-]{43}$/);
    expect(existsSync(dataDir)).toBe(false);
    const { secret, path } = readDevelopmentSecret(dataDir);
    expect(previewDevelopmentSecret(dataDir)).toEqual({ secret, path, warning: undefined });
  });

  it.each([0o640, 0o604])("given a file of mode %o when it is read then it is closed to others", (mode) => {
    const { path } = readDevelopmentSecret(dataDir);
    chmodSync(path, mode);
    expect(readDevelopmentSecret(dataDir).warning).toContain(`had mode 0${mode.toString(8)}, now 0600`);
    expect(statSync(path).mode & 0o777).toBe(0o600);
  });

  it("given a file that others can read when it is read then it is closed to them, with a warning", () => {
    const { path } = readDevelopmentSecret(dataDir);
    chmodSync(path, 0o644);
    expect(readDevelopmentSecret(dataDir).warning).toContain("had mode 0644, now 0600");
    expect(statSync(path).mode & 0o777).toBe(0o600);
    expect(readDevelopmentSecret(dataDir).warning).toBeUndefined();
  });

  it.each(["", "short\n", `${"a".repeat(42)}\n`, `${"a".repeat(43)}!`])(
    "given a file of %j when it is read then it is refused",
    (content) => {
      const { path } = readDevelopmentSecret(dataDir);
      writeFileSync(path, content);
      expect(() => readDevelopmentSecret(dataDir)).toThrow("does not hold a secret");
    },
  );

  it("given a data folder that is a file when it is read then it throws", () => {
    writeFileSync(join(folder, "deep"), "");
    expect(() => readDevelopmentSecret(dataDir)).toThrow();
  });
});
