import { randomBytes } from "node:crypto";
import { existsSync, writeFileSync } from "node:fs";
import { BenchError } from "./bench-error.ts";
import { readBenchOptions } from "./bench/bench-options.ts";
import { runBench } from "./bench/run-bench.ts";
import { findPinning, pinGenerator } from "./process/cpu-pinning.ts";
import { TokenMint } from "./process/token-mint.ts";
import { benchHtml } from "./report/bench-html.ts";
import { benchText } from "./report/bench-text.ts";
import { Progress } from "./report/progress.ts";
import { hasFailures } from "./report/summary.ts";

// `pnpm bench`: measures, prints, writes. Ends with 0 whatever the numbers are, with 1 when a run could not be made.

async function main(): Promise<void> {
  const options = readBenchOptions(process.argv.slice(2));
  if (!existsSync("/proc/self/stat")) throw BenchError.unsupported("the bench reads /proc, which only Linux has");
  // Servers under test end with this process.
  process.once("SIGINT", () => process.exit(130));
  const pinning = findPinning();
  if (pinning !== undefined) pinGenerator(pinning);
  const secret = randomBytes(32).toString("base64url");
  const ports = { sizes: options.sizes, pinning, secret, mint: new TokenMint(secret) };
  const results = await runBench(options, ports, new Progress(process.stderr));
  process.stdout.write(benchText(results));
  if (options.json !== undefined) writeFileSync(options.json, `${JSON.stringify(results, undefined, 2)}\n`);
  if (options.html !== undefined) writeFileSync(options.html, benchHtml(results));
  process.exitCode = hasFailures(results) ? 1 : 0;
}

main().catch((error: unknown) => {
  process.stderr.write(`bench: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exit(1);
});
