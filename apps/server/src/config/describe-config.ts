import type { Config, SettingValues } from "./config.ts";
import { type Environment, isGiven } from "./environment.ts";
import { MIN_SECRET_BYTES } from "./token-key.ts";
import { defaultInWords, type Setting } from "./setting.ts";
import { SETTINGS } from "./settings.ts";

/** One setting as it is in force, for a person. */
export interface SettingDescription {
  readonly name: string;
  /** Never a secret. */
  readonly value: string;
  readonly unit: string;
  /** Where the value comes from. */
  readonly source: "environment" | "default" | "development" | "machine";
}

/** Every setting in the order of the reference, with secrets hidden. */
export function describeConfig(config: Config, env: Environment): SettingDescription[] {
  return (Object.entries(SETTINGS) as [keyof SettingValues, Setting<unknown>][]).map(([field, setting]) => ({
    name: setting.name,
    value: valueOf(field, setting, config),
    unit: setting.unit ?? "",
    source: sourceOf(field, setting, config, env),
  }));
}

function valueOf(field: keyof SettingValues, setting: Setting<unknown>, config: Config): string {
  const { tokenKey } = config;
  if (field === "jwtSecret") return tokenKey.kind === "secret" ? hiddenSecret(tokenKey.secret) : "none";
  if (field === "jwtPublicKey") return tokenKey.kind === "publicKey" ? "hidden" : "none";
  if (field === "jwksUrl") return tokenKey.kind === "jwks" ? withoutQuery(tokenKey.url) : "none";
  return shown(config[field], setting);
}

function shown(value: Config[keyof Config] | undefined, setting: Setting<unknown>): string {
  if (value === undefined) return "none";
  if (setting.isSecret === true) return "hidden";
  if (Array.isArray(value) && value.length === 0) return defaultInWords(setting);
  if (setting.show !== undefined) return setting.show(value);
  return typeof value === "string" ? value : JSON.stringify(value);
}

function sourceOf(
  field: keyof SettingValues,
  setting: Setting<unknown>,
  config: Config,
  env: Environment,
): SettingDescription["source"] {
  const { tokenKey } = config;
  if (field === "jwtSecret" && tokenKey.kind === "secret" && tokenKey.origin.kind === "file") return "development";
  if (field === "maxTotalConnections" && isLowered(config, env)) return "machine";
  if (isGiven(setting.name, env)) return "environment";
  if (field === "logColored") return "machine";
  return setting.inDevelopment !== undefined && config.nodeEnv === "development" ? "development" : "default";
}

function isLowered({ maxTotalConnections }: Config, env: Environment): boolean {
  const { name, byDefault } = SETTINGS.maxTotalConnections;
  const wanted = isGiven(name, env) ? env[name] : "text" in byDefault ? byDefault.text : undefined;
  return Number(wanted) !== maxTotalConnections;
}

function hiddenSecret(secret: string): string {
  const size = Buffer.byteLength(secret);
  return size < MIN_SECRET_BYTES ? `hidden (${size} bytes)` : "hidden";
}

function withoutQuery(href: string): string {
  const url = new URL(href);
  url.search = "";
  return url.href;
}
