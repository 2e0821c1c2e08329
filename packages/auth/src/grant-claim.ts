import { GRANT_ACTIONS, type Grant, type GrantAction } from "@pm/core";
import { AuthError } from "./auth-error.ts";
import { checkList, describe, type Payload } from "./claim-values.ts";
import { isJsonObject } from "./unique-json.ts";

const MAX_GRANTS = 256;
/** The grammar of channel names, and `*`. */
const PATTERN = /^[A-Za-z0-9_\-=@,.;:/+*]{1,200}$/;

/**
 * Reads the `channels` claim: at most 256 of `{ "pattern": "project:*", "allow": ["subscribe"] }`. Undefined where it
 * is absent; an empty list grants nothing.
 * @throws AuthError `INVALID_CLAIM`, also for unknown members and actions: what is not understood might be a
 * restriction.
 */
export function parseGrants(payload: Payload): readonly Grant[] | undefined {
  const value = payload["channels"];
  if (value === undefined) return undefined;
  return checkList(value, "channels", MAX_GRANTS).map((grant, index) => parseGrant(grant, `channels[${index}]`));
}

function parseGrant(value: unknown, at: string): Grant {
  if (!isJsonObject(value)) throw AuthError.invalidClaim(at, `is ${describe(value)}, not an object`);
  for (const member of Object.keys(value)) {
    if (member !== "pattern" && member !== "allow") throw AuthError.invalidClaim(at, "has an unknown member");
  }
  const pattern = value["pattern"];
  if (typeof pattern !== "string" || !PATTERN.test(pattern)) {
    const reason = `is ${describe(pattern)}, not 1 to 200 of A-Z a-z 0-9 _ - = @ , . ; : / + *`;
    throw AuthError.invalidClaim(`${at}.pattern`, reason);
  }
  const allow = checkList(value["allow"], `${at}.allow`, GRANT_ACTIONS.length);
  return Object.freeze({ pattern, allow: Object.freeze(allow.map((action) => checkAction(action, `${at}.allow`))) });
}

function checkAction(value: unknown, at: string): GrantAction {
  const action = GRANT_ACTIONS.find((known) => known === value);
  if (action === undefined) throw AuthError.invalidClaim(at, `has an action other than ${GRANT_ACTIONS.join(", ")}`);
  return action;
}
