import { DbError } from "./db-error.ts";

/** The largest number of milliseconds that a timer takes, and more than anybody counts. */
const MAX_COUNT = 2 ** 31 - 1;

/**
 * Takes a number as an option.
 * @throws DbError `INVALID_OPTION` unless it is an integer within the range.
 */
export function integerOption(name: string, value: number, range: { min: number; max?: number }): number {
  const { min, max = MAX_COUNT } = range;
  if (Number.isInteger(value) && value >= min && value <= max) return value;
  throw DbError.invalidOption(name, value, `an integer from ${min} to ${max}`);
}
