import { styleText } from "node:util";
import type { LogFields } from "@pm/core";
import { LogJson } from "./log-json.ts";
import { plainText } from "./plain-text.ts";

/** Levels, the gravest first. */
export type LogLevel = "error" | "warn" | "info" | "debug";

/** What one line says. */
export interface LogEntry {
  /** Milliseconds since the epoch. */
  readonly atMs: number;
  readonly level: LogLevel;
  readonly event: string;
  readonly fields: LogFields;
}

const OWN_KEYS = new Set(["ts", "level", "event"]);
const COLORS = { error: "red", warn: "yellow", info: "green", debug: "gray" } as const;
/** A string that is read the same without quotes. */
const BARE = /^"[^\s"\\=]+"$/;

/** One line of JSON: `ts`, `level`, `event`, then the fields. A field of one of these names gets a `_` before it. */
export function jsonLine(entry: LogEntry): string {
  const own = `"ts":"${new Date(entry.atMs).toISOString()}","level":"${entry.level}","event":${JSON.stringify(plainText(entry.event))}`;
  const fields = membersOf(entry).map(
    ([key, json]) => `,${JSON.stringify(OWN_KEYS.has(key) ? `_${key}` : key)}:${json}`,
  );
  return `{${own}${fields.join("")}}`;
}

/** One line of coloured text: the local time, level, event, then the fields as `key=value`. */
export function textLine(entry: LogEntry): string {
  const level = paint(COLORS[entry.level], entry.level.toUpperCase().padEnd(5));
  const event = paint("bold", plainText(entry.event));
  const fields = membersOf(entry).map(
    ([key, json]) => ` ${paint("dim", `${key}=`)}${BARE.test(json) ? json.slice(1, -1) : json}`,
  );
  return `${paint("dim", timeOfDay(entry.atMs))} ${level} ${event}${fields.join("")}`;
}

function membersOf({ level, fields }: LogEntry): [key: string, json: string][] {
  return new LogJson(level === "error" || level === "debug" ? "stack" : "location").members(fields);
}

function paint(style: Parameters<typeof styleText>[0], text: string): string {
  return styleText(style, text, { validateStream: false });
}

function timeOfDay(atMs: number): string {
  const date = new Date(atMs);
  const parts = [date.getHours(), date.getMinutes(), date.getSeconds()].map((part) => String(part).padStart(2, "0"));
  return `${parts.join(":")}.${String(date.getMilliseconds()).padStart(3, "0")}`;
}
