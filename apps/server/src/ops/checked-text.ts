import { OpsInputError } from "./ops-error.ts";

const MAX_USER_BYTES = 128;

/** @throws OpsInputError for a text that is too long, or has half of a surrogate pair */
export function boundedText(field: string, text: string, maxBytes: number): string {
  const size = Buffer.byteLength(text);
  if (size > maxBytes) throw OpsInputError.of(field, `has ${size} bytes (at most ${maxBytes})`);
  if (!text.isWellFormed()) throw OpsInputError.of(field, "has a lone surrogate");
  return text;
}

/** A user, as the `sub` of a token names it. @throws OpsInputError */
export function userId(text: string): string {
  if (text === "") throw OpsInputError.of("user_id", "is empty");
  return boundedText("user_id", text, MAX_USER_BYTES);
}
