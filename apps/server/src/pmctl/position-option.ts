import type { StreamPosition } from "@pm/proto";
import { InvalidArgumentError } from "commander";

/** A position without the wrapping of a message. */
export type Position = Pick<StreamPosition, "epoch" | "offset" | "check">;

const POSITION = /^(?<epoch>[^\s:]{1,128}):(?<offset>\d{1,16}):(?<check>\d{1,10})$/;
const MAX_CHECK = 2 ** 32 - 1;

/** Reads `epoch:offset:check`, as `formatPosition` writes it. */
export function parsePosition(text: string): Position {
  const { epoch, offset, check } = POSITION.exec(text)?.groups ?? {};
  const isInRange = Number(offset) <= Number.MAX_SAFE_INTEGER && Number(check) <= MAX_CHECK;
  if (epoch !== undefined && isInRange) return { epoch, offset: BigInt(offset ?? 0), check: Number(check) };
  throw new InvalidArgumentError("Expected epoch:offset:check, as publish and listen print it.");
}

/** The form in which positions are printed. */
export function formatPosition({ epoch, offset, check }: Position): string {
  return `${epoch}:${offset}:${check}`;
}
