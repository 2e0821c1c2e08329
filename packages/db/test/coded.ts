import { expect } from "vitest";

/** Matches an error with this code, and what else is said of it. */
export function coded(code: string, more: Record<string, unknown> = {}): unknown {
  return expect.objectContaining({ code, ...more });
}
