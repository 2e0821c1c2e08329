// Runs all tests: unit and property tests in parallel and cached, integration tests one package after the other. Ends
// with a line that counts them from the runner's own reports. Tests that were skipped, since a tool they need is not
// here, are counted in a line of their own; with REQUIRE_ALL=1 a skip is a failure.
import { spawnSync } from "node:child_process";
import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { ROOT } from "./build-server.ts";

interface Report {
  readonly numPassedTests: number;
  readonly numFailedTests: number;
  readonly numPendingTests: number;
  readonly testResults: readonly { readonly status: string; readonly assertionResults: readonly unknown[] }[];
}

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
}
const mustNotSkip = process.env["REQUIRE_ALL"] === "1";
if (mustNotSkip) failed += skipped;
else if (skipped > 0) process.stdout.write(`${skipped} tests were skipped: a tool that they need is not installed\n`);
if (!(passedTogether && passedAlone) && failed === 0) failed = 1;
process.stdout.write(`${passed} passed, ${failed} failed\n`);
process.exitCode = failed === 0 ? 0 : 1;

function isBroken({ status, assertionResults }: Report["testResults"][number]): boolean {
  return status === "failed" && assertionResults.length === 0;
}
