#!/usr/bin/env node
import { requireNode } from "./require-node.ts";

requireNode("pmctl");
const { processPorts } = await import("./pmctl/process-ports.ts");
const { runPmctl } = await import("./pmctl/run-pmctl.ts");
process.exitCode = await runPmctl(process.argv.slice(2), processPorts());
