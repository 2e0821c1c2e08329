// Builds the server and runs it, in development mode unless NODE_ENV says otherwise. Ends with its exit code.
import { type ChildProcess, spawn } from "node:child_process";
import { constants } from "node:os";
import { join } from "node:path";
import { buildServer, ROOT } from "./build-server.ts";

const SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

process.chdir(ROOT);
if ((process.env["NODE_ENV"] ?? "").trim() === "") process.env["NODE_ENV"] = "development";
process.stderr.write("pm: building\n");
const built = await buildServer();
process.exitCode = built === 0 ? await run() : built;

function run(): Promise<number> {
  // In a process group of its own: Ctrl-C reaches this process alone, and the server gets each signal once.
  const server = spawn(process.execPath, [join(ROOT, "apps/server/dist/main.js")], {
    stdio: "inherit",
    detached: true,
  });
  forwardSignals(server);
  return new Promise((resolve) => {
    server.on("error", (error) => {
      process.stderr.write(`pm: ${error.message}\n`);
      resolve(1);
    });
    server.on("exit", (code, signal) => resolve(code ?? 128 + constants.signals[signal ?? "SIGKILL"]));
  });
}

function forwardSignals(server: ChildProcess): void {
  // A terminal that is closed sends SIGHUP; the server knows SIGTERM.
  for (const signal of SIGNALS) process.on(signal, () => server.kill(signal === "SIGHUP" ? "SIGTERM" : signal));
  process.on("exit", () => server.kill("SIGTERM"));
}
