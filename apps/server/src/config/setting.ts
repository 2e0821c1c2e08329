import type { TextFormat } from "./text-format.ts";

/** The parts of the reference, in its order. */
export type SettingGroup =
  | "Process"
  | "Listeners"
  | "Tokens"
  | "Limits"
  | "Channels"
  | "Liveness and shutdown"
  | "Browsers and proxies"
  | "Tenants"
  | "Logs";

/** One environment variable: how it is read, and all that the reference says about it. */
export interface Setting<T> {
  readonly name: string;
  readonly group: SettingGroup;
  /** One sentence or part of one, for the reference. */
  readonly meaning: string;
  /** What a number counts. */
  readonly unit?: string | undefined;
  readonly format: TextFormat<T>;
  readonly byDefault: SettingDefault<T>;
  /** The text taken instead of the default in development. */
  readonly inDevelopment?: string | undefined;
  /** True for texts that are taken with the spaces around them. */
  readonly isRaw?: boolean | undefined;
  /** True for values that no output shows. */
  readonly isSecret?: boolean | undefined;
  /** True for a URL: an error shows it without user, password and query. */
  readonly isUrl?: boolean | undefined;
  /** The value for a person; without it, the value as it stands. */
  readonly show?: ((value: NonNullable<T>) => string) | undefined;
}

/** What holds when the environment says nothing: a text that is read like any other, or a value named in words. */
export type SettingDefault<T> = { readonly text: string } | { readonly value: T; readonly words: string };

/** The default as the reference shows it, with its unit. */
export function defaultInWords<T>({ byDefault, inDevelopment, unit }: Setting<T>): string {
  const usual = "text" in byDefault ? byDefault.text : byDefault.words;
  const hasUnit = unit === undefined || usual.endsWith("iB");
  const told = hasUnit ? usual : `${usual} ${unit}`;
  return inDevelopment === undefined ? told : `${told}; in development ${inDevelopment}`;
}
