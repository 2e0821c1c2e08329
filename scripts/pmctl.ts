// Runs the command line tool, in the environment that start.ts gives the server where it asks that one. Builds it only
// where it never was.
import { existsSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { buildServer, ROOT } from "./build-server.ts";

const program = join(ROOT, "apps/server/dist/pmctl.js");

process.chdir(ROOT);
// What is checked is the configuration of a server that is started some other way: it is taken as it is.
const isCheck = process.argv[2] === "check-config";
if (!isCheck && (process.env["NODE_ENV"] ?? "").trim() === "") process.env["NODE_ENV"] = "development";
const built = existsSync(program) ? 0 : await buildServer();
// In this process, so that signals, standard streams and the exit code are its own.
if (built === 0) await import(pathToFileURL(program).href);
else process.exitCode = built;
