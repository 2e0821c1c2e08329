import { AuthError } from "./auth-error.ts";

/** The payload of a token: an object of unknown values. */
export type Payload = Readonly<Record<string, unknown>>;

/** 9999-12-31T23:59:59Z: later times are mistakes, and do not fit where dates are shown. */
const MAX_TIME_SECS = 253_402_300_799;

/** A string of 1 to `maxBytes` bytes of UTF-8 without lone surrogates; undefined where the claim is absent. */
export function optionalText(payload: Payload, claim: string, maxBytes: number): string | undefined {
  const value = payload[claim];
  return value === undefined ? undefined : checkText(value, claim, maxBytes);
}

/** The same, and it must be there. */
export function requiredText(payload: Payload, claim: string, maxBytes: number): string {
  return optionalText(payload, claim, maxBytes) ?? absent(claim);
}

/** Seconds since the epoch, possibly with a fraction (NumericDate, RFC 7519, section 2). */
export function optionalTime(payload: Payload, claim: string): number | undefined {
  const value = payload[claim];
  if (value === undefined) return undefined;
  if (typeof value === "number" && value >= 0 && value <= MAX_TIME_SECS) return value;
  throw AuthError.invalidClaim(
    claim,
    `is ${typeof value === "number" ? value : describe(value)}, not seconds from 0 to ${MAX_TIME_SECS}`,
  );
}

/** The same, and it must be there. */
export function requiredTime(payload: Payload, claim: string): number {
  return optionalTime(payload, claim) ?? absent(claim);
}

/** A list of at most `max` strings of 1 to `maxBytes` bytes; undefined where the claim is absent. */
export function optionalTexts(
  payload: Payload,
  claim: string,
  limits: { readonly max: number; readonly maxBytes: number },
): readonly string[] | undefined {
  const value = payload[claim];
  if (value === undefined) return undefined;
  return checkList(value, claim, limits.max).map((text, index) =>
    checkText(text, `${claim}[${index}]`, limits.maxBytes),
  );
}

/** A list of at most `max` elements of any kind. */
export function checkList(value: unknown, claim: string, max: number): readonly unknown[] {
  if (!Array.isArray(value)) throw AuthError.invalidClaim(claim, `is ${describe(value)}, not a list`);
  if (value.length > max) throw AuthError.invalidClaim(claim, `has ${value.length} elements (max ${max})`);
  return value;
}

/** A string of 1 to `maxBytes` bytes of UTF-8 without lone surrogates. */
export function checkText(value: unknown, claim: string, maxBytes: number): string {
  if (typeof value !== "string") throw AuthError.invalidClaim(claim, `is ${describe(value)}, not a string`);
  if (!value.isWellFormed()) throw AuthError.invalidClaim(claim, "has a lone surrogate");
  const bytes = Buffer.byteLength(value);
  if (bytes >= 1 && bytes <= maxBytes) return value;
  throw AuthError.invalidClaim(claim, `has ${bytes} bytes, not 1 to ${maxBytes}`);
}

/** The kind of a value, without the value. */
export function describe(value: unknown): string {
  if (value === null) return "null";
  if (Array.isArray(value)) return "a list";
  return typeof value === "string" ? `a string of ${value.length} characters` : `of type ${typeof value}`;
}

function absent(claim: string): never {
  throw AuthError.invalidClaim(claim, "is absent");
}
