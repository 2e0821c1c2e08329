// Numbers for people: three digits that say something, and a unit.

const DIGITS = 3;

/** A number with three significant digits: `0.045`, `6.31`, `143`, `1 890`; a dash for none. */
export function plain(value: number): string {
  if (!Number.isFinite(value)) return "–";
  if (Math.abs(value) >= 100) return grouped(Math.round(value));
  return String(Number(value.toPrecision(DIGITS)));
}

/** A count a second: `143 k/s`, `1.89 M/s`. */
export function rate(perSec: number): string {
  if (!Number.isFinite(perSec)) return "–";
  if (perSec >= 1e6) return `${plain(perSec / 1e6)} M/s`;
  return perSec >= 10_000 ? `${plain(perSec / 1e3)} k/s` : `${plain(perSec)}/s`;
}

/** Microseconds, as milliseconds where there are a thousand: `870 µs`, `12.3 ms`. */
export function latency(us: number): string {
  if (!Number.isFinite(us)) return "–";
  return us >= 1000 ? `${plain(us / 1000)} ms` : `${plain(us)} µs`;
}

/** A share as per cent: `97 %`. */
export function percent(share: number): string {
  return Number.isFinite(share) ? `${Math.round(share * 100)} %` : "–";
}

/** A count and what is counted: `1 reader`, `2 readers`. */
export function plural(count: number, one: string): string {
  return `${plain(count)} ${one}${count === 1 ? "" : "s"}`;
}

function grouped(value: number): string {
  return String(value).replaceAll(/\B(?=(?:\d{3})+$)/g, "\u00A0");
}
