import { writeFileSync } from "node:fs";
import { readLoadOptions } from "./load/load-options.ts";
import { keptPromises, type LoadResults } from "./load/load-results.ts";
import { LoadTest } from "./load/load-test.ts";
import { loadHtml } from "./report/load-html.ts";
import { loadText } from "./report/load-text.ts";
import { TimeProgress } from "./report/time-progress.ts";

// `pnpm load`: puts load on a deployment. Ends with 0 when readers saw what they were promised, with 1 when not, or when
// nobody could connect. Ctrl-C ends the load early, and the report is of what was done until then.

async function main(): Promise<void> {
  const options = readLoadOptions(process.argv.slice(2), process.env);
  const interrupt = new AbortController();
  process.once("SIGINT", () => interrupt.abort());
  await using test = new LoadTest(options);
  const progress = new TimeProgress(process.stderr, options.durationSecs);
  progress.note("connecting");
  await test.connect();
  const results = await progress.during(test.run(interrupt.signal), () => test.ledger);
  report(results, options);
  process.exitCode = keptPromises(results) ? 0 : 1;
}

function report(
  results: LoadResults,
  files: { readonly json: string | undefined; readonly html: string | undefined },
): void {
  process.stdout.write(loadText(results));
  if (files.json !== undefined) writeFileSync(files.json, `${JSON.stringify(results, undefined, 2)}\n`);
  if (files.html !== undefined) writeFileSync(files.html, loadHtml(results));
}

main().catch((error: unknown) => {
  process.stderr.write(`load: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exit(1);
});
