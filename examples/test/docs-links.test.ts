import { existsSync, globSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { describe, expect, it } from "vitest";
import { ROOT } from "./child-process.ts";

const PAGES = globSync(
  "{*.md,docs/*.md,packages/*/README.md,apps/*/README.md,examples/README.md,examples/*/README.md}",
  {
    cwd: ROOT,
  },
);
const LINK = /\]\((?!\w+:)(?<path>[^)#\s]*)(?:#(?<anchor>[^)\s]+))?\)/g;

/** The anchors that GitHub makes of headings. */
function anchorsOf(file: string): Set<string> {
  const headings = readFileSync(file, "utf8").matchAll(/^#{1,6} (?<text>.+)$/gm);
  return new Set(
    Array.from(headings, ({ groups }) =>
      (groups?.["text"] ?? "")
        .toLowerCase()
        .replaceAll(/[^\w\- ]/g, "")
        .replaceAll(" ", "-"),
    ),
  );
}

describe("links", () => {
  it.each(PAGES)("given %s, when its links are followed, then each leads somewhere", (page) => {
    const broken: string[] = [];
    for (const { 0: link, groups } of readFileSync(join(ROOT, page), "utf8").matchAll(LINK)) {
      const { path = "", anchor } = groups ?? {};
      const file = path === "" ? join(ROOT, page) : join(ROOT, dirname(page), path);
      if (!existsSync(file)) broken.push(link);
      else if (anchor !== undefined && !anchorsOf(file).has(anchor)) broken.push(link);
    }
    expect(broken).toEqual([]);
  });
});
