import { CodedError } from "@pm/core";

/** An option or a key given to this package is wrong. Code `INVALID_OPTION`; `field` names the option. */
export class AuthOptionError extends CodedError<"INVALID_OPTION"> {
  static of(option: string, reason: string, cause?: unknown): AuthOptionError {
    return new AuthOptionError("INVALID_OPTION", `${option} ${reason}`, { field: option, cause });
  }
}

/** A whole number within bounds, or the default where none is given. */
export function resolveCount(
  option: string,
  value: number | undefined,
  bounds: { readonly min: number; readonly max: number; readonly byDefault: number },
): number {
  const count = value ?? bounds.byDefault;
  if (Number.isSafeInteger(count) && count >= bounds.min && count <= bounds.max) return count;
  throw AuthOptionError.of(option, `is ${count}, not a whole number from ${bounds.min} to ${bounds.max}`);
}
