import type { Config, SettingValues } from "./config.ts";
import { ConfigError } from "./config-error.ts";
import { crossProblems, crossWarnings } from "./cross-checks.ts";
import type { Environment } from "./environment.ts";
import { type Machine, thisMachine } from "./machine.ts";
import { misspeltNames } from "./misspelt-names.ts";
import { readSettings } from "./read-settings.ts";
import { resolveTokenKey } from "./resolve-token-key.ts";
import { SETTINGS } from "./settings.ts";

/** Descriptors kept for databases, logs, listeners and what Node needs. */
const RESERVED_DESCRIPTORS = 256;

/** What reading a configuration is for. */
export interface ReadConfigOptions {
  /**
   * Nothing is written: a development secret that is not there yet is not kept.
   * @default false
   */
  readonly isCheck?: boolean | undefined;
}

/**
 * Reads the whole configuration. In development without a key, the development secret is made on first use.
 * @throws ConfigError with every problem at once
 */
export function readConfig(
  env: Environment,
  machine: Machine = thisMachine(),
  { isCheck = false }: ReadConfigOptions = {},
): Config {
  const problems = misspelt(env);
  const values = readSettings(env, problems);
  problems.push(...crossProblems(values));
  const warnings: string[] = [];
  const tokenKey = resolveTokenKey(values, { problems, warnings, isCheck });
  if (problems.length > 0 || tokenKey === undefined || !isComplete(values)) throw new ConfigError(problems);
  warnings.push(...crossWarnings(values));
  return { ...resolve(values, machine, warnings), tokenKey, warnings };
}

function misspelt(env: Environment): string[] {
  const given = Object.keys(env).filter((name) => env[name] !== undefined);
  const known = Object.values(SETTINGS).map(({ name }) => name);
  return misspeltNames(given, known).map(({ given: name, meant }) => `${name}: is no setting, expected ${meant}`);
}

function isComplete(values: Partial<SettingValues>): values is SettingValues {
  return Object.keys(SETTINGS).every((field) => Object.hasOwn(values, field));
}

function resolve(values: SettingValues, machine: Machine, warnings: string[]): Omit<Config, "tokenKey" | "warnings"> {
  const { jwtSecret: _secret, jwtPublicKey: _publicKey, jwksUrl: _url, ...rest } = values;
  return {
    ...rest,
    maxTotalConnections: belowDescriptors(values.maxTotalConnections, machine.openFileLimit, warnings),
    channelKinds: { ...values.channelKinds, defaults: { ...retentionOf(values), ...values.channelKinds.defaults } },
    logColored: values.logColored ?? machine.stdoutIsTerminal,
  };
}

function retentionOf(values: SettingValues): Config["channelKinds"]["defaults"] {
  return {
    retainedCount: values.broadcastCapacity,
    retainedBytes: values.broadcastRetentionBytes,
    retainedSecs: values.broadcastRetentionSecs,
  };
}

function belowDescriptors(wanted: number, limit: number | undefined, warnings: string[]): number {
  if (limit === undefined) return wanted;
  const possible = limit - Math.min(RESERVED_DESCRIPTORS, Math.floor(limit / 4));
  if (wanted <= possible) return wanted;
  warnings.push(
    `MAX_TOTAL_CONNECTIONS: is ${wanted}, lowered to ${possible}, since this process may open ${limit} files`,
  );
  return possible;
}
