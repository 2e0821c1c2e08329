import { readFileSync } from "node:fs";
import { join } from "node:path";
import { ROOT } from "./child-process.ts";

/** A fenced block of a page. */
export interface DocsBlock {
  readonly language: string;
  readonly code: string;
  /** Of its first line. */
  readonly line: number;
}

const BLOCK = /^```(?<language>\w+)\n(?<code>[\s\S]*?)^```$/gm;

/** The blocks of a page, in order. */
export function blocksOf(page: string): DocsBlock[] {
  const text = readFileSync(join(ROOT, page), "utf8");
  return [...text.matchAll(BLOCK)].map(({ groups, index }) => ({
    language: groups?.["language"] ?? "",
    code: groups?.["code"] ?? "",
    line: text.slice(0, index).split("\n").length + 1,
  }));
}

/**
 * What a snippet says that it prints: comments behind `console.log`, and comments that are a line of their own below.
 */
export function expectedOutput(code: string): string[] {
  return [...code.matchAll(/console\.log\(.*\); \/\/ (?<output>.*)$|^\/\/ (?<line>[a-z]+)$/gm)].map(
    ({ groups }) => groups?.["output"] ?? groups?.["line"] ?? "",
  );
}

/** The shape of a JSON value: its keys, and the types of what is in them. */
export function shapeOf(value: unknown): unknown {
  if (typeof value !== "object" || value === null) return typeof value;
  return Object.fromEntries(Object.entries(value).map(([key, member]) => [key, shapeOf(member)]));
}
