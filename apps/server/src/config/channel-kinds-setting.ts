import { readFileSync } from "node:fs";
import { z } from "zod";
import type { TextFormat } from "./text-format.ts";

/** Settings of the channels of one kind; what is not set is as with every kind. */
export interface ChannelKindSettings {
  readonly retainedCount?: number | undefined;
  readonly retainedBytes?: number | undefined;
  readonly retainedSecs?: number | undefined;
  readonly clientPublish?: "allow" | "deny" | { readonly roles: readonly string[] } | undefined;
  readonly lagPolicy?: "recover" | "latest" | "disconnect" | undefined;
  readonly flushDelayMs?: number | undefined;
}

/** What `CHANNEL_KINDS` says: what holds for every kind (its key `*`), and for single ones. */
export interface ChannelKindsSetting {
  readonly defaults: ChannelKindSettings;
  readonly kinds: Readonly<Record<string, ChannelKindSettings>>;
}

/** Stands for every kind. No kind can have this name, since `*` is not in the grammar of channel names. */
const EVERY_KIND = "*";
/** The grammar of channel names without `:`, where the kind ends. */
const KIND = /^[A-Za-z0-9_\-=@,.;/+]{1,200}$/;
const NOT_A_KIND = 'is not a kind: 1 to 200 of A-Z a-z 0-9 _ - = @ , . ; / +, or "*" for every kind';
const MONTH_SECS = 30 * 86_400;

const number = (min: number, max: number): z.ZodOptional<z.ZodNumber> => z.number().int().min(min).max(max).optional();

const KIND_SETTINGS: z.ZodType<ChannelKindSettings> = z.strictObject({
  retainedCount: number(1, 10_000_000),
  retainedBytes: number(0, 2 ** 40),
  retainedSecs: z.number().min(0).max(MONTH_SECS).optional(),
  clientPublish: z
    .union([z.enum(["allow", "deny"]), z.strictObject({ roles: z.array(z.string().min(1).max(128)).max(64) })], {
      error: 'is not "allow", "deny" or {"roles": ["…"]}',
    })
    .optional(),
  lagPolicy: z.enum(["recover", "latest", "disconnect"]).optional(),
  flushDelayMs: number(0, 60_000),
});

/** JSON text that begins with `{`, or a path to a file of it. */
export const channelKinds: TextFormat<ChannelKindsSetting> = {
  expected: "a JSON object, or a path to a file of one",
  schema: z.string().transform((given, context) => {
    const json = parseJson(given);
    if ("kinds" in json) return readKinds(json.kinds, (path, message) => addIssue(context, path, message));
    addIssue(context, [], json.problem);
    return z.NEVER;
  }),
};

type Report = (path: PropertyKey[], message: string) => void;

function addIssue(context: z.RefinementCtx, path: PropertyKey[], message: string): void {
  context.addIssue({ code: "custom", path, message });
}

function readKinds(json: object, report: Report): ChannelKindsSetting {
  let defaults: ChannelKindSettings = {};
  const kinds: [string, ChannelKindSettings][] = [];
  for (const [kind, given] of Object.entries(json)) {
    const read = KIND_SETTINGS.safeParse(given);
    if (kind !== EVERY_KIND && !KIND.test(kind)) report([kind], NOT_A_KIND);
    for (const { path, message } of read.error?.issues ?? []) report([kind, ...path], asPredicate(message));
    if (kind === EVERY_KIND) defaults = read.data ?? {};
    else kinds.push([kind, read.data ?? {}]);
  }
  return { defaults, kinds: Object.fromEntries(kinds) };
}

function parseJson(given: string): { readonly kinds: object } | { readonly problem: string } {
  let text = given;
  try {
    if (!given.startsWith("{")) text = readFileSync(given, "utf8");
  } catch (error) {
    return { problem: `${JSON.stringify(given)} cannot be read (${(error as NodeJS.ErrnoException).code})` };
  }
  try {
    const kinds: unknown = JSON.parse(text);
    if (typeof kinds === "object" && kinds !== null && !Array.isArray(kinds)) return { kinds };
    return { problem: "is JSON, but not an object" };
  } catch (error) {
    return { problem: `is not JSON${placeOf(error as Error)}` };
  }
}

/** Where V8 stopped, without what it shows of the text: a wrong file may be a secret one. */
function placeOf({ message }: Error): string {
  const place = /position \d+|line \d+ column \d+/.exec(message)?.[0];
  return place === undefined ? "" : ` (at ${place})`;
}

/** The sentences of zod, as they follow the name of a field. */
function asPredicate(message: string): string {
  return message.startsWith("is ") ? message : `is wrong: ${message.charAt(0).toLowerCase()}${message.slice(1)}`;
}
