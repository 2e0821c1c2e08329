// Runs the command line tool in the environment that start.ts gives the server. Builds it only where it never was.
import { existsSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { buildServer, ROOT } from "./build-server.ts";

const program = join(ROOT, "apps/server/dist/pmctl.js");

process.chdir(ROOT);
if ((process.env["NODE_ENV"] ?? "").trim() === "") process.env["NODE_ENV"] = "development";
const built = existsSync(program) ? 0 : await buildServer();
// In this process, so that signals, standard streams and the exit code are its own.
if (built === 0) await import(pathToFileURL(program).href);
else process.exitCode = built;
