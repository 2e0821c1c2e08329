// Runs one kind of the tests of the package in the current folder and leaves the runner's own report in .reports/.
//   unit         src/**/*.test.ts, beside the code
//   property     *.property.test.ts anywhere: laws, with a seed printed on failure; FC_NUM_RUNS sets the number of runs
//   integration  test/**/*.test.ts: real sockets and processes
import { spawnSync } from "node:child_process";
import { join } from "node:path";

const scripts = import.meta.dirname;
const kinds: Record<string, string[]> = {
  unit: ["--dir", "src", "--exclude", "**/*.property.test.ts"],
  property: ["--exclude", "**/dist/**", "property.test.ts"],
  integration: ["--dir", "test", "--exclude", "**/*.property.test.ts"],
};

const [kind = "", ...rest] = process.argv.slice(2);
const selection = kinds[kind];
if (selection === undefined) {
  process.stderr.write(`run-vitest: expected one of ${Object.keys(kinds).join(", ")}, got ${JSON.stringify(kind)}\n`);
  process.exit(2);
}

const { status } = spawnSync(
  "vitest",
  [
    "run",
    "--config",
    join(scripts, "vitest.config.ts"),
    "--root",
    process.cwd(),
    "--passWithNoTests",
    "--reporter=default",
    "--reporter=json",
    `--outputFile.json=.reports/${kind}.json`,
    ...selection,
    ...rest,
  ],
  { stdio: "inherit" },
);
process.exit(status ?? 1);
