// Holds the way down: an import that climbs, crosses to a neighbour, goes deep into another package, or closes a cycle
// of files fails. Tests and README snippets may import what they test against.
import { globSync, readFileSync } from "node:fs";
import { dirname, join, normalize } from "node:path";

/** What each workspace package may import of the others. */
const MAY_IMPORT: Record<string, readonly string[]> = {
  "packages/core": [],
  "packages/proto": ["core"],
  "packages/auth": ["core", "proto"],
  "packages/ws": ["core", "proto"],
  "packages/db": ["core", "proto"],
  "packages/client": ["proto"],
  "apps/server": ["core", "proto", "auth", "ws", "db"],
  "apps/bench": ["core", "proto", "auth", "ws", "client"],
  "apps/demo": ["client", "proto"],
  examples: ["core", "auth", "ws", "client"],
};

/** Parts of packages that have a way in of their own, since not everybody should load them. */
const SUBPATHS = new Set(["@pm/proto/ops"]);
/** Only packages may be imported, by their exported names. */
const PM_IMPORT = /^@pm\/(?<name>[a-z]+)(?<path>\/.*)?$/;
const IMPORT =
  /^\s*(?:import|export)\b[^"'`;]*?\bfrom\s+["'](?<from>[^"']+)["']|\bimport\(\s*["'](?<dynamic>[^"']+)["']\s*\)|^\s*import\s+["'](?<bare>[^"']+)["']/gm;

const problems: string[] = [];
const graph = new Map<string, string[]>();

for (const folder of globSync(["packages/*", "apps/*", "examples"])) {
  const allowed = MAY_IMPORT[folder];
  if (allowed === undefined) {
    problems.push(`${folder}: not in the layer table of scripts/check-layers.ts`);
    continue;
  }
  for (const file of globSync(sourcesOf(folder))) checkFile(folder, file, allowed);
}
for (const cycle of cycles()) problems.push(`cycle: ${cycle.join(" → ")}`);

if (problems.length > 0) {
  process.stderr.write(`${problems.join("\n")}\n`);
  process.exitCode = 1;
}

/** An example is a folder of its own, without `src`. */
function sourcesOf(folder: string): string {
  return folder === "examples" ? "examples/*/*.ts" : `${folder}/src/**/*.{ts,tsx}`;
}

function checkFile(folder: string, file: string, allowed: readonly string[]): void {
  const isTest = file.endsWith(".test.ts") || file.endsWith(".test.tsx");
  const edges: string[] = [];
  for (const from of importsOf(file)) {
    if (from.startsWith(".")) {
      const target = normalize(join(dirname(file), from));
      if (!target.startsWith(`${folder}/`)) problems.push(`${file}: ${from} leaves the package`);
      else edges.push(target);
      continue;
    }
    const pm = PM_IMPORT.exec(from)?.groups;
    if (pm === undefined || isTest) continue;
    if (!allowed.includes(pm["name"] ?? "")) problems.push(`${file}: may not import ${from}`);
    if (pm["path"] !== undefined && !SUBPATHS.has(from) && !(pm["path"] === "/testing" && isTestKit(file))) {
      problems.push(`${file}: ${from} is not for production code`);
    }
  }
  graph.set(file, edges);
}

function isTestKit(file: string): boolean {
  return file.includes("/src/testing/") || file.startsWith("apps/bench/");
}

function importsOf(file: string): string[] {
  const found: string[] = [];
  for (const { groups } of readFileSync(file, "utf8").matchAll(IMPORT)) {
    const from = groups?.["from"] ?? groups?.["dynamic"] ?? groups?.["bare"];
    if (from !== undefined) found.push(from);
  }
  return found;
}

function cycles(): string[][] {
  const found: string[][] = [];
  const done = new Set<string>();
  const visit = (file: string, path: string[]): void => {
    const start = path.indexOf(file);
    if (start >= 0) found.push([...path.slice(start), file]);
    if (start >= 0 || done.has(file)) return;
    for (const next of graph.get(file) ?? []) visit(next, [...path, file]);
    done.add(file);
  };
  for (const file of graph.keys()) visit(file, []);
  return found;
}
