import { randomBytes } from "node:crypto";
import { chmodSync, existsSync, linkSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";

const SECRET_BYTES = 32;
/** Thirty-two bytes or more in base64url. */
const SECRET = /^[A-Za-z0-9_-]{43,}$/;

/** The secret that a development server and the command line tool share through a file. */
export interface DevelopmentSecret {
  readonly secret: string;
  readonly path: string;
  /** Set when others could read the file and may have done so. */
  readonly warning: string | undefined;
}

/** Where the secret of a data folder is. */
export function developmentSecretPath(dataDir: string): string {
  return join(dataDir, "dev-secret");
}

/**
 * Reads the secret, or makes it on first use: 32 random bytes in base64url, readable by the owner alone. Two processes
 * that begin at once end with the same one.
 * @throws Error where the file cannot be made or read, or holds something else
 */
export function readDevelopmentSecret(dataDir: string): DevelopmentSecret {
  const path = developmentSecretPath(dataDir);
  if (!existsSync(path)) create(dataDir, path);
  return { secret: read(path), path, warning: closeToOthers(path) };
}

/**
 * The secret that is there, or one like it that nothing keeps. Nothing is made and nothing is changed.
 * @throws Error where the file cannot be read, or holds something else
 */
export function previewDevelopmentSecret(dataDir: string): DevelopmentSecret {
  const path = developmentSecretPath(dataDir);
  return { secret: existsSync(path) ? read(path) : newSecret(), path, warning: undefined };
}

/**
 * Looks whether the secret that is there can be used. Nothing is made and nothing is changed.
 * @throws Error where the file cannot be read, or holds something else
 */
export function checkDevelopmentSecret(dataDir: string): void {
  const path = developmentSecretPath(dataDir);
  if (existsSync(path)) read(path);
}

function read(path: string): string {
  const secret = readFileSync(path, "utf8").trim();
  if (!SECRET.test(secret)) throw new Error(`${path} does not hold a secret: delete it, and a new one is made`);
  return secret;
}

/** The file appears whole or not at all, and never takes the place of another: it is linked, not renamed. */
function create(dataDir: string, path: string): void {
  mkdirSync(dataDir, { recursive: true, mode: 0o700 });
  const draft = `${path}.${process.pid}`;
  try {
    writeFileSync(draft, `${newSecret()}\n`, { mode: 0o600 });
    linkSync(draft, path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
  } finally {
    rmSync(draft, { force: true });
  }
}

function newSecret(): string {
  return randomBytes(SECRET_BYTES).toString("base64url");
}

function closeToOthers(path: string): string | undefined {
  const mode = statSync(path).mode & 0o777;
  if ((mode & 0o077) === 0) return undefined;
  chmodSync(path, 0o600);
  const shown = mode.toString(8).padStart(4, "0");
  return `${path} had mode ${shown}, now 0600: others may have read it; delete it to get a new secret`;
}
