import { writeFileSync } from "node:fs";
import { readLoadOptions } from "./load/load-options.ts";
import { keptPromises, type LoadResults } from "./load/load-results.ts";
import { LoadTest } from "./load/load-test.ts";
import { loadHtml } from "./report/load-html.ts";
import { DisconnectedError } from "@pm/ws/testing";
import { loadText } from "./report/load-text.ts";
import { TimeProgress } from "./report/time-progress.ts";

const UNAUTHORIZED = 401;

// `pnpm load`: puts load on a deployment. Ends with 0 when readers saw what they were promised, with 1 when not, or
// when nobody could connect, with 2 when called in a wrong way. Ctrl-C ends the load early, and the report is of what
// was done until then.

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
  if (files.json !== undefined) write(files.json, `${JSON.stringify(results, undefined, 2)}\n`);
  if (files.html !== undefined) write(files.html, loadHtml(results));
}

function write(path: string, text: string): void {
  writeFileSync(path, text);
  process.stdout.write(`Written: ${path}\n`);
}

/** What went wrong in a sentence; a refused handshake is nearly always a matter of the secret. */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const isToken = error instanceof DisconnectedError && error.code === UNAUTHORIZED;
  return isToken ? `${error.message}: is it the server's secret, and what --issuer and --audience say?` : error.message;
}

main().catch((error: unknown) => {
  process.stderr.write(`load: ${reasonOf(error)}\n`);
  process.exit(1);
});
