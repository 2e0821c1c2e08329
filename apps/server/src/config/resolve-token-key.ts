import { resolve } from "node:path";
import type { SettingValues } from "./config.ts";
import { checkDevelopmentSecret, previewDevelopmentSecret, readDevelopmentSecret } from "./development-secret.ts";
import { DEFAULT_DATA_DIR } from "./settings.ts";
import { MIN_SECRET_BYTES, type SecretKey, type TokenKey } from "./token-key.ts";

/** Where problems and warnings are gathered. */
export interface Findings {
  /** Nothing is written. */
  readonly isCheck: boolean;
  readonly problems: string[];
  readonly warnings: string[];
}

const KEY_FIELDS = { jwtSecret: "JWT_SECRET", jwtPublicKey: "JWT_PUBLIC_KEY", jwksUrl: "JWKS_URL" } as const;
const ONE_KEY = "exactly one of JWT_SECRET, JWT_PUBLIC_KEY and JWKS_URL";

/**
 * Finds the one key. Without any, development has a secret of its own; it is made only when everything else is right.
 * Undefined where there is a problem.
 */
export function resolveTokenKey(values: Partial<SettingValues>, findings: Findings): TokenKey | undefined {
  const fields = Object.keys(KEY_FIELDS) as (keyof typeof KEY_FIELDS)[];
  // A key that could not be read is left out of the values, and has its own problem. It was given all the same.
  const given = fields.filter((field) => !Object.hasOwn(values, field) || values[field] !== undefined);
  if (given.length === 0) return developmentKey(values, findings);
  if (given.length > 1) {
    const names = given.map((field) => KEY_FIELDS[field]).join(" and ");
    findings.problems.push(`${names}: are set together, expected ${ONE_KEY}`);
  }
  return givenKey(values, findings);
}

function givenKey(values: Partial<SettingValues>, findings: Findings): TokenKey | undefined {
  const { jwtSecret, jwtPublicKey, jwksUrl } = values;
  if (jwtSecret !== undefined) return environmentSecret(jwtSecret, values, findings);
  if (jwtPublicKey !== undefined) return { kind: "publicKey", pem: jwtPublicKey };
  return jwksUrl === undefined ? undefined : remoteKeys(jwksUrl, findings);
}

function environmentSecret(
  secret: string,
  { nodeEnv }: Partial<SettingValues>,
  { problems, warnings }: Findings,
): SecretKey {
  const size = Buffer.byteLength(secret);
  if (size < MIN_SECRET_BYTES && nodeEnv === "production") {
    problems.push(`JWT_SECRET: has ${size} bytes, expected at least ${MIN_SECRET_BYTES} when NODE_ENV=production`);
  } else if (size < MIN_SECRET_BYTES) {
    warnings.push(
      `JWT_SECRET: has ${size} bytes: one below ${MIN_SECRET_BYTES} can be guessed from a single token, and is refused when NODE_ENV=production`,
    );
  }
  if (/^[\s"']|[\s"']$/.test(secret)) {
    const wrong = "JWT_SECRET: begins or ends with white space or a quote, which counts as part of it";
    if (nodeEnv === "production") problems.push(`${wrong}, expected none when NODE_ENV=production`);
    else warnings.push(`${wrong}, and is refused when NODE_ENV=production`);
  }
  return { kind: "secret", secret, origin: { kind: "environment" } };
}

function remoteKeys(url: string, { warnings }: Findings): TokenKey {
  const { protocol, hostname } = new URL(url);
  if (protocol === "http:" && !/^(?:localhost|127(?:\.\d{1,3}){3}|\[::1\])$/.test(hostname)) {
    warnings.push("JWKS_URL: is fetched in clear text: whoever is on the way can sign tokens");
  }
  return { kind: "jwks", url };
}

function developmentKey(values: Partial<SettingValues>, findings: Findings): SecretKey | undefined {
  const { problems, warnings, isCheck } = findings;
  if (values.nodeEnv !== "development") {
    problems.push(`JWT_SECRET: is absent, expected ${ONE_KEY}, or NODE_ENV=development`);
    return undefined;
  }
  if (values.dataDir === undefined) return undefined;
  try {
    if (problems.length > 0) {
      checkDevelopmentSecret(values.dataDir);
      return undefined;
    }
    const { secret, path, warning } = isCheck
      ? previewDevelopmentSecret(values.dataDir)
      : readDevelopmentSecret(values.dataDir);
    if (warning !== undefined) warnings.push(`DATA_DIR: ${warning}`);
    return {
      kind: "secret",
      secret,
      origin: { kind: "file", path, isByDefault: values.dataDir === resolve(DEFAULT_DATA_DIR) },
    };
  } catch (error) {
    problems.push(`DATA_DIR: the development secret cannot be kept: ${(error as Error).message}`);
    return undefined;
  }
}
