// Loaded before scripts in TypeScript (node --import), since a Node that is too old cannot even read them. Versions that
// can strip types, but do not by themselves, are told to.
import * as nodeModule from "node:module";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

const LEAST = [22, 16];
const [major = 0, minor = 0] = process.versions.node.split(".").map(Number);
if (major < LEAST[0] || (major === LEAST[0] && minor < LEAST[1])) {
  process.stderr.write(`pm: needs Node ${LEAST.join(".")} or newer, this is ${process.versions.node}\n`);
  process.exit(1);
}
if (!process.features.typescript) {
  nodeModule.registerHooks({
    load: (url, context, nextLoad) => {
      if (!url.startsWith("file:") || !url.endsWith(".ts")) return nextLoad(url, context);
      const source = nodeModule.stripTypeScriptTypes(readFileSync(fileURLToPath(url), "utf8"));
      return { format: "module", source, shortCircuit: true };
    },
  });
}
