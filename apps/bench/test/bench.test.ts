import { execFile } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, describe, expect, it } from "vitest";
import type { BenchResults, Outcome } from "../src/bench/bench-results.ts";
import { SERVER_KINDS } from "../src/dialect/dialect.ts";
import type { Measurement } from "../src/profile/measurement.ts";

const run = promisify(execFile);
const MAIN = join(import.meta.dirname, "../dist/main.js");
const folder = mkdtempSync(join(tmpdir(), "pm-bench-test-"));

afterAll(() => rmSync(folder, { recursive: true, force: true }));

async function bench(...profiles: readonly string[]): Promise<{ results: BenchResults; text: string; page: string }> {
  const [json, html] = [join(folder, "results.json"), join(folder, "report.html")];
  const flags = ["--size", "tiny", "--json", json, "--html", html, "--profile", ...profiles];
  const { stdout } = await run(process.execPath, [MAIN, ...flags]);
  const results = JSON.parse(readFileSync(json, "utf8")) as BenchResults;
  return { results, text: stdout, page: readFileSync(html, "utf8") };
}

function measurements({ comparisons }: BenchResults): (Outcome<Measurement> | undefined)[] {
  return comparisons.flatMap(({ rounds }) => rounds.flatMap((round) => SERVER_KINDS.map((kind) => round[kind])));
}

describe("pnpm bench", () => {
  it("given a tiny fan-out, when it is measured, then all three servers deliver everything in order", async () => {
    const { results, text, page } = await bench("fan-out-16", "echo");
    for (const outcome of measurements(results)) {
      expect(outcome).toMatchObject({ kind: "measured", value: { faults: [] } });
      const value = outcome?.kind === "measured" ? outcome.value : undefined;
      expect(value?.cost).toBeGreaterThanOrEqual(0);
      expect(value?.perSec).toBeGreaterThan(10);
      expect(value?.latency?.count).toBeGreaterThan(0);
    }
    expect(measurements(results)).toHaveLength(6);
    expect(text).toMatch(/fan-out-16 .*\n.*echo /);
    expect(page).toContain("<svg");
  }, 60_000);

  it("given tokens and a flood, when connections and tenants are measured, then pm takes all of it", async () => {
    const { results, text } = await bench("handshake", "fairness");
    for (const outcome of measurements(results)) {
      expect(outcome).toMatchObject({ kind: "measured", value: { faults: [] } });
    }
    expect(results.behaviours).toMatchObject([
      { name: "fairness", outcome: { kind: "measured", value: { faults: [] } } },
    ]);
    expect(text).toMatch(/p99 under the flood/);
  }, 60_000);
});
