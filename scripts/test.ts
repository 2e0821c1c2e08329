// Runs all tests: unit and property tests in parallel and cached, integration tests one package after the other. Ends
// with what failed, said once more, and a line that counts all, from the runner's own reports. Tests that were skipped,
// since a tool they need is not here, are counted in a line of their own; with REQUIRE_ALL=1 a skip is a failure.
import { spawnSync } from "node:child_process";
import { globSync, readFileSync } from "node:fs";
import { join, relative } from "node:path";
import { stripVTControlCharacters } from "node:util";
import { ROOT } from "./build-server.ts";

interface Report {
  readonly numPassedTests: number;
  readonly numFailedTests: number;
  readonly numPendingTests: number;
  readonly testResults: readonly TestFile[];
}

interface TestFile {
  readonly name: string;
  readonly status: string;
  readonly message: string;
  readonly assertionResults: readonly {
    readonly fullName: string;
    readonly status: string;
    readonly failureMessages?: readonly string[];
  }[];
}

/** Lines of a failure that are said once more. */
const FAILURE_LINES = 20;

process.chdir(ROOT);
const env = { ...process.env, TURBO_TELEMETRY_DISABLED: "1" };
const turbo = (...args: string[]): boolean =>
  spawnSync(join(ROOT, "node_modules/.bin/turbo"), ["run", ...args], { stdio: "inherit", env }).status === 0;

const passedTogether = turbo(
  "build",
  "test:unit",
  "test:property",
  "--concurrency=3",
  "--output-logs=new-only",
  "--continue",
);
const passedAlone = turbo("test:integration", "--concurrency=1", "--output-logs=new-only", "--continue");

let passed = 0;
let failed = 0;
let skipped = 0;
for (const file of globSync("{packages/*,apps/*,examples}/.reports/{unit,property,integration}.json")) {
  const report = JSON.parse(readFileSync(file, "utf8")) as Report;
  passed += report.numPassedTests;
  // A file that could not even be loaded has no tests to count, and is a failure all the same.
  failed += report.numFailedTests + report.testResults.filter(isBroken).length;
  skipped += report.numPendingTests;
  for (const failure of report.testResults.flatMap(failuresOf)) process.stdout.write(failure);
}
const mustNotSkip = process.env["REQUIRE_ALL"] === "1";
if (mustNotSkip) failed += skipped;
else if (skipped > 0) process.stdout.write(`${skipped} tests were skipped: a tool that they need is not installed\n`);
if (!(passedTogether && passedAlone) && failed === 0) failed = 1;
process.stdout.write(`${passed} passed, ${failed} failed\n`);
process.exitCode = failed === 0 ? 0 : 1;

function isBroken({ status, assertionResults }: TestFile): boolean {
  return status === "failed" && assertionResults.length === 0;
}

function failuresOf(file: TestFile): readonly string[] {
  const inFile = isBroken(file) ? [{ fullName: "", status: "failed", failureMessages: [file.message] }] : [];
  return [...inFile, ...file.assertionResults]
    .filter(({ status }) => status === "failed")
    .map(({ fullName, failureMessages = [] }) => {
      const lines = stripVTControlCharacters(failureMessages.join("\n")).split("\n");
      const own = lines.filter((line) => !line.includes("/node_modules/")).slice(0, FAILURE_LINES);
      return [`failed: ${relative(ROOT, file.name)} ${fullName}`.trimEnd(), ...own, ""].join("\n");
    });
}
