import { redactTokens } from "./redact-tokens.ts";

/** Characters of a string that a log line keeps. */
export const MAX_TEXT = 1024;
/** A token that begins within the kept characters ends before this; the rest is not looked at. */
const MAX_LOOKED_AT = 16 * 1024;
/** Control and bidi characters, line and paragraph separators, lone surrogates. */
const UNSHOWABLE = /[\p{Cc}\p{Cs}\p{Zl}\p{Zp}\p{Bidi_Control}]/gu;
/** Most texts: nothing to replace, and too short for a token. */
const SHORT_AND_PLAIN = /^[\x20-\x7e]{0,10}$/;
const REPLACEMENT = "\ufffd";
const CONTROL_PICTURES = 0x24_00;
const DELETE = 0x7f;

/**
 * Makes a text safe to show: one line without control or bidi characters, without tokens, and at most `max` characters
 * and a note of what was cut. Each unsafe character becomes one visible one.
 */
export function plainText(text: string, max: number = MAX_TEXT): string {
  if (SHORT_AND_PLAIN.test(text)) return text;
  const redacted = redactTokens(text.length > MAX_LOOKED_AT ? text.slice(0, MAX_LOOKED_AT) : text);
  return showable(cut(redacted, max, text.length));
}

/** Puts one visible character for each control or bidi character, line separator and lone surrogate. */
export function showable(text: string): string {
  return text.replace(UNSHOWABLE, picture);
}

function cut(text: string, max: number, originalLength: number): string {
  if (text.length <= max) return text;
  const splitsPair = (text.codePointAt(max - 1) ?? 0) > 0xff_ff;
  return `${text.slice(0, splitsPair ? max - 1 : max)}… (${originalLength} characters)`;
}

function picture(character: string): string {
  const code = character.charCodeAt(0);
  if (code < 0x20) return String.fromCharCode(CONTROL_PICTURES + code);
  return code === DELETE ? "\u2421" : REPLACEMENT;
}
