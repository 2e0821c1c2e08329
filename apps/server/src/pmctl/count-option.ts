import { InvalidArgumentError } from "commander";

const MAX_COUNT = 1_000_000_000;

/** Reads a whole number from 1 on. */
export function parseCount(text: string): number {
  const count = /^\d{1,10}$/.test(text) ? Number(text) : 0;
  if (count >= 1 && count <= MAX_COUNT) return count;
  throw new InvalidArgumentError(`Expected a whole number from 1 to ${MAX_COUNT}.`);
}
