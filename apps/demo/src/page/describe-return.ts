import type { InterruptionCounts } from "../reader/reader-protocol.ts";

const NUMBER = new Intl.NumberFormat("en-GB");

/** What came of an interruption, in a sentence: the counts are those before it and those now. */
export function describeReturn(tenant: string, before: InterruptionCounts, now: InterruptionCounts): string {
  const late = now.recovered - before.recovered;
  const missing = now.missed - before.missed;
  const recovered = late === 0 ? "" : `${publications(late)} came late, in order. `;
  if (missing > 0)
    return `${tenant} is back. ${recovered}${publications(missing)} missed: the log no longer held them.`;
  if (now.isMissedUncertain && !before.isMissedUncertain) return `${tenant} is back. ${recovered}Some may be missed.`;
  return `${tenant} is back. ${recovered}Nothing is missed.`;
}

function publications(count: number): string {
  return `${NUMBER.format(count)} publication${count === 1 ? "" : "s"}`;
}
