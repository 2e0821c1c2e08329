/** What a grant may allow on a channel. */
export type GrantAction = "subscribe" | "publish" | "history";

/** All actions, in the order in which they are documented. */
export const GRANT_ACTIONS: readonly GrantAction[] = ["subscribe", "publish", "history"];

/** Allows actions on the channels of the own tenant that match a pattern. */
export interface Grant {
  /** A channel name in which `*` matches any run of characters, the empty one too. */
  readonly pattern: string;
  readonly allow: readonly GrantAction[];
}

/** True when one of the grants allows the action on the channel. */
export function isGranted(grants: readonly Grant[], action: GrantAction, channel: string): boolean {
  for (const { pattern, allow } of grants) if (allow.includes(action) && matchesPattern(pattern, channel)) return true;
  return false;
}

/** Matches a whole name against a pattern with `*`; time is at most the product of both lengths. */
export function matchesPattern(pattern: string, name: string): boolean {
  let p = 0;
  let n = 0;
  let star = -1;
  let resume = 0;
  while (n < name.length) {
    if (pattern[p] === "*") {
      star = p++;
      if (p === pattern.length) return true;
      resume = n;
    } else if (pattern[p] === name[n]) {
      p++;
      n++;
    } else if (star >= 0) {
      p = star + 1;
      n = ++resume;
    } else {
      return false;
    }
  }
  while (pattern[p] === "*") p++;
  return p === pattern.length;
}
