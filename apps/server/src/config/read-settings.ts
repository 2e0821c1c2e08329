import type { z } from "zod";
import type { SettingValues } from "./config.ts";
import { type Environment, isGiven } from "./environment.ts";
import type { Setting } from "./setting.ts";
import { SETTINGS } from "./settings.ts";

const MAX_SHOWN = 80;

/**
 * Reads each setting by itself. A wrong one is left out, and told in `problems`.
 */
export function readSettings(env: Environment, problems: string[]): Partial<SettingValues> {
  const isDevelopment = env[SETTINGS.nodeEnv.name]?.trim() === "development";
  const values: Record<string, unknown> = {};
  for (const [field, setting] of Object.entries(SETTINGS) as [string, Setting<unknown>][]) {
    const text = textOf(setting, env, isDevelopment);
    if (text === undefined) {
      values[field] = "value" in setting.byDefault ? setting.byDefault.value : undefined;
      continue;
    }
    const read = setting.format.schema.safeParse(text);
    if (read.success) values[field] = read.data;
    else problems.push(...read.error.issues.map((issue) => problemOf(setting, text, issue)));
  }
  return values;
}

function textOf(setting: Setting<unknown>, env: Environment, isDevelopment: boolean): string | undefined {
  const given = env[setting.name];
  if (given !== undefined && isGiven(setting.name, env)) return setting.isRaw === true ? given : given.trim();
  if (isDevelopment && setting.inDevelopment !== undefined) return setting.inDevelopment;
  return "text" in setting.byDefault ? setting.byDefault.text : undefined;
}

function problemOf(setting: Setting<unknown>, text: string, issue: z.core.$ZodIssue): string {
  if (issue.path.length > 0) return `${setting.name}: ${issue.path.join(".")} ${issue.message}`;
  const wrong = issue.code === "custom" ? issue.message : `is ${shown(setting, text)}`;
  return `${setting.name}: ${wrong}, expected ${setting.format.expected}`;
}

function shown({ isSecret, isUrl }: Setting<unknown>, text: string): string {
  if (isUrl === true) return shownUrl(text);
  if (isSecret === true) return `hidden (${text.length} characters)`;
  return text.length <= MAX_SHOWN ? JSON.stringify(text) : `${JSON.stringify(text.slice(0, MAX_SHOWN))}…`;
}

/** Without what may be secret in a URL: user, password and query. What is no URL may have them anywhere. */
function shownUrl(text: string): string {
  const url = URL.parse(text);
  if (url === null || url.host === "") return `no URL (${text.length} characters)`;
  return JSON.stringify(`${url.protocol}//${url.host}${url.pathname}`.slice(0, MAX_SHOWN));
}
