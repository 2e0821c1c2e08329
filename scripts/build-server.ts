import { spawn } from "node:child_process";
import { join } from "node:path";

/** The folder of the workspace. */
export const ROOT: string = join(import.meta.dirname, "..");

/**
 * Builds the server, what it depends on, and the demo. Turbo builds only what has changed; its output is shown when it
 * fails.
 * Resolves with the exit code.
 */
export async function buildServer(): Promise<number> {
  const build = spawn(
    join(ROOT, "node_modules/.bin/turbo"),
    ["run", "build", "--filter=@pm/server", "--filter=@pm/demo"],
    {
      cwd: ROOT,
      env: { ...process.env, TURBO_TELEMETRY_DISABLED: "1" },
      stdio: ["ignore", "pipe", "pipe"],
    },
  );
  const output: Buffer[] = [];
  for (const stream of [build.stdout, build.stderr]) stream.on("data", (chunk: Buffer) => output.push(chunk));
  const code = await new Promise<number>((resolve) => {
    build.on("error", (error) => {
      output.push(Buffer.from(`${error.message}\n`));
      resolve(1);
    });
    build.on("close", (status) => resolve(status ?? 1));
  });
  if (code !== 0) process.stderr.write(Buffer.concat(output));
  return code;
}
