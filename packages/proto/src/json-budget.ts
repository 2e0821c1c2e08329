import { CodecError } from "./codec-error.ts";
import { MAX_FRAME_FIELDS, MAX_FRAME_MESSAGES, MAX_JSON_DEPTH } from "./structure-budget.ts";

const QUOTE = 34;
const COMMA = 44;
const COLON = 58;
const OPEN_BRACKET = 91;
const BACKSLASH = 92;
const CLOSE_BRACKET = 93;
const OPEN_BRACE = 123;
const CLOSE_BRACE = 125;

/**
 * Counts depth and elements of JSON text before it is parsed: a field is a colon and at most a comma.
 * @throws CodecError `DECODE_ERROR` over a budget. Text that is not JSON passes: the parser refuses it.
 */
export function assertJsonBudget(text: string): void {
  let depth = 0;
  let elements = 0;
  for (let at = 0; at < text.length; at++) {
    const char = text.charCodeAt(at);
    if (char === QUOTE) {
      at = endOfString(text, at);
    } else if (char === OPEN_BRACE || char === OPEN_BRACKET) {
      if (++depth > MAX_JSON_DEPTH) throw CodecError.overBudget("levels", MAX_JSON_DEPTH);
    } else if (char === CLOSE_BRACE || char === CLOSE_BRACKET) {
      depth--;
    } else if ((char === COMMA || char === COLON) && ++elements > 2 * MAX_FRAME_FIELDS) {
      throw CodecError.overBudget("fields", MAX_FRAME_FIELDS);
    }
  }
}

/**
 * Counts the messages of a parsed frame before an object is made of each.
 * @throws CodecError `DECODE_ERROR` over the budget. Whatever is not a frame passes: the reader refuses it.
 */
export function assertMessageBudget(frame: unknown): void {
  const messages = (frame as { messages?: unknown } | null)?.messages;
  if (Array.isArray(messages) && messages.length > MAX_FRAME_MESSAGES) {
    throw CodecError.overBudget("messages", MAX_FRAME_MESSAGES);
  }
}

function endOfString(text: string, start: number): number {
  for (let at = start + 1; at < text.length; at++) {
    const char = text.charCodeAt(at);
    if (char === QUOTE) return at;
    if (char === BACKSLASH) at++;
  }
  return text.length;
}
