import { InvalidArgumentError } from "commander";

const UNIT_SECS: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3600, d: 86_400 };
const DURATION = /^(?<count>\d{1,9})(?<unit>[smhd]?)$/;
const MAX_SECS = 365 * 86_400;

/** Reads `90`, `90s`, `15m`, `12h` or `30d` as seconds, from one second to a year. */
export function parseDuration(text: string): number {
  const { count, unit } = DURATION.exec(text)?.groups ?? {};
  const secs = Number(count) * (UNIT_SECS[unit === "" ? "s" : (unit ?? "s")] ?? 1);
  if (secs >= 1 && secs <= MAX_SECS) return secs;
  throw new InvalidArgumentError("Expected a time like 90s, 15m, 12h or 30d, at most 365d.");
}
