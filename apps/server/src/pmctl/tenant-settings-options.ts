import { type TenantLimits, TenantSetting } from "@pm/proto/ops";
import { type Command, InvalidArgumentError, Option } from "commander";
import { parseCount } from "./count-option.ts";

/** What of a tenant is to be set. */
export interface TenantSettingOptions {
  readonly name?: string;
  readonly maxConnections?: number;
  readonly publicationsPerSec?: number;
  readonly bytesPerSec?: number;
  readonly maxChannels?: number;
}

/** What a request says of a tenant. */
export interface TenantSettings {
  readonly displayName: string | undefined;
  readonly limits: Omit<TenantLimits, "$typeName">;
}

const SETTINGS: ReadonlyMap<string, TenantSetting> = new Map([
  ["name", TenantSetting.DISPLAY_NAME],
  ["max-connections", TenantSetting.MAX_CONNECTIONS],
  ["publications-per-sec", TenantSetting.PUBLICATIONS_PER_SEC],
  ["bytes-per-sec", TenantSetting.BYTES_PER_SEC],
  ["max-channels", TenantSetting.MAX_CHANNELS],
]);
const MAX_PUBLICATIONS = 1_000_000_000;

/** Adds the options that set something of a tenant. */
export function addTenantSettings(command: Command): Command {
  return command
    .option("--name <text>", "a name for people")
    .addOption(new Option("--max-connections <n>", "connections at once").argParser(parseCount))
    .addOption(
      new Option("--publications-per-sec <n>", "publications of its clients; 0: no limit").argParser((text) =>
        parseQuota(text, MAX_PUBLICATIONS),
      ),
    )
    .addOption(
      new Option("--bytes-per-sec <n>", "bytes that its clients publish; 0: no limit").argParser((text) =>
        parseQuota(text, Number.MAX_SAFE_INTEGER),
      ),
    )
    .addOption(new Option("--max-channels <n>", "channels with subscribers at once").argParser(parseCount));
}

/** The options in the form of a request; what is not given is undefined. */
export function settingsOf(options: TenantSettingOptions): TenantSettings {
  const { name: displayName, maxConnections, publicationsPerSec, bytesPerSec: bytes, maxChannels } = options;
  const bytesPerSec = bytes === undefined ? undefined : BigInt(bytes);
  return { displayName, limits: { maxConnections, publicationsPerSec, bytesPerSec, maxChannels } };
}

/** Collects settings that are to be taken away. */
export function collectSetting(text: string, previous: readonly TenantSetting[] = []): readonly TenantSetting[] {
  const setting = SETTINGS.get(text);
  if (setting !== undefined) return [...previous, setting];
  throw new InvalidArgumentError(`Expected ${[...SETTINGS.keys()].join(", ")}.`);
}

function parseQuota(text: string, max: number): number {
  const quota = /^\d{1,16}$/.test(text) ? Number(text) : -1;
  if (quota >= 0 && quota <= max) return quota;
  throw new InvalidArgumentError(`Expected a whole number from 0 to ${max}.`);
}
