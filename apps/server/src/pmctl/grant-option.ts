import { GRANT_ACTIONS, type Grant } from "@pm/core";
import { InvalidArgumentError } from "commander";

/** The grammar of channel names, and `*`. */
const PATTERN = /^[A-Za-z0-9_\-=@,.;:/+*]{1,200}$/;
const EXPECTED = "Expected actions, a colon and a pattern, as in subscribe,publish:project:* or all:*.";

/**
 * Reads `actions:pattern`: actions out of subscribe, publish and history, separated by commas, or `all`; everything
 * after the first colon is the pattern. Repeated, the grants add up.
 */
export function collectGrant(text: string, previous: readonly Grant[] = []): readonly Grant[] {
  const colon = text.indexOf(":");
  const pattern = text.slice(colon + 1);
  const words = text.slice(0, Math.max(0, colon)).split(",");
  const allow = GRANT_ACTIONS.filter((action) => words.includes(action) || words.includes("all"));
  const isKnown = words.every((word) => word === "all" || GRANT_ACTIONS.some((action) => action === word));
  if (colon < 0 || !isKnown || !PATTERN.test(pattern)) throw new InvalidArgumentError(EXPECTED);
  return [...previous, { pattern, allow }];
}
