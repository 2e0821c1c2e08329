// Fails when the committed code differs from what buf generates from proto/.
import { execFileSync } from "node:child_process";
import { globSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const committed = "packages/proto/src/gen";
const fresh = mkdtempSync(join(tmpdir(), "pm-generated-"));
try {
  execFileSync("buf", ["generate", "--output", fresh], { stdio: "inherit" });
  const differing = differences(join(fresh, committed), committed);
  if (differing.length > 0) {
    process.stderr.write(`generated code differs from proto/; run "pnpm generate":\n  ${differing.join("\n  ")}\n`);
    process.exitCode = 1;
  }
} finally {
  rmSync(fresh, { recursive: true });
}

function differences(a: string, b: string): string[] {
  const files = new Set([...globSync("**/*.ts", { cwd: a }), ...globSync("**/*.ts", { cwd: b })]);
  return [...files].filter((file) => read(join(a, file)) !== read(join(b, file))).toSorted();
}

function read(file: string): string | undefined {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return undefined;
  }
}
