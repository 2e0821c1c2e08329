import { MAX_FRAME_FIELDS, MAX_JSON_DEPTH } from "@pm/proto";
import { OpsInputError } from "./ops-error.ts";

const QUOTE = 34;
const COMMA = 44;
const COLON = 58;
const OPEN_BRACKET = 91;
const BACKSLASH = 92;
const CLOSE_BRACKET = 93;
const OPEN_BRACE = 123;
const CLOSE_BRACE = 125;

/**
 * Counts depth and elements of JSON before it is parsed: a field is a colon and at most a comma. In UTF-8 no other
 * character has a byte of these.
 * @throws OpsInputError over a budget. What is not JSON passes: the parser refuses it.
 */
export function assertJsonBudget(json: Uint8Array): void {
  let depth = 0;
  let elements = 0;
  for (let at = 0; at < json.length; at++) {
    const byte = json[at];
    if (byte === QUOTE) {
      at = endOfString(json, at);
    } else if (byte === OPEN_BRACE || byte === OPEN_BRACKET) {
      if (++depth > MAX_JSON_DEPTH) throw OpsInputError.of("body", `has over ${MAX_JSON_DEPTH} levels`);
    } else if (byte === CLOSE_BRACE || byte === CLOSE_BRACKET) {
      depth--;
    } else if ((byte === COMMA || byte === COLON) && ++elements > 2 * MAX_FRAME_FIELDS) {
      throw OpsInputError.of("body", `has over ${MAX_FRAME_FIELDS} fields`);
    }
  }
}

function endOfString(json: Uint8Array, start: number): number {
  for (let at = start + 1; at < json.length; at++) {
    if (json[at] === QUOTE) return at;
    if (json[at] === BACKSLASH) at++;
  }
  return json.length;
}
