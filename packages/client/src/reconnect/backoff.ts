import type { Randomness } from "../platform/randomness.ts";
import type { WaitRule } from "./close-rule.ts";

/** No wait of a backoff is longer. */
export const MAX_BACKOFF_MS = 20_000;

/** Milliseconds to wait by a rule before the attempt with this number, counted from 0. */
export function waitMs(rule: WaitRule, attempt: number, random: Randomness): number {
  if (rule.kind === "spread") return rule.fromMs + random.fraction() * (rule.toMs - rule.fromMs);
  const ceilingMs = Math.min(MAX_BACKOFF_MS, rule.leastMs + rule.baseMs * 2 ** attempt);
  return rule.leastMs + random.fraction() * (ceilingMs - rule.leastMs);
}
