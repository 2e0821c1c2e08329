import { readFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { build } from "vite";
import { describe, expect, it } from "vitest";

/** Bytes, minified and gzipped. */
const LIMIT = 25_000;
const PACKAGE = join(import.meta.dirname, "..");
const BUNDLE = join(PACKAGE, "dist/pm-client.min.js");

/** What an application that uses these names of the package has to load. */
async function bundleOf(code: string): Promise<{ readonly code: string; readonly modules: readonly string[] }> {
  const entry = "virtual:entry";
  const built = await build({
    configFile: false,
    logLevel: "silent",
    root: PACKAGE,
    plugins: [
      {
        name: "entry",
        resolveId: (id) => (id === entry ? id : undefined),
        load: (id) => (id === entry ? code : undefined),
      },
    ],
    build: { write: false, rolldownOptions: { input: entry } },
  });
  const [output] = Array.isArray(built) ? built : [built];
  if (output === undefined || !("output" in output)) throw new Error("nothing was built");
  const [chunk] = output.output;
  const modules = Object.entries(chunk.modules).filter(([, { renderedLength }]) => renderedLength > 0);
  return { code: chunk.code, modules: modules.map(([name]) => name) };
}

describe("the size of the client", () => {
  it("given the bundle, when it is minified and gzipped, then it is below 25 kB", () => {
    expect(gzipSync(readFileSync(BUNDLE)).length).toBeLessThan(LIMIT);
  });

  it("given an application of vite that uses the client, when it is built, then the client takes less than 25 kB of it, and no generated code", async () => {
    const entry = `import { PmClient, json } from ${JSON.stringify(join(PACKAGE, "dist/index.js"))}; window.client = [PmClient, json];`;
    const { code, modules } = await bundleOf(entry);
    expect(gzipSync(code).length).toBeLessThan(LIMIT);
    expect(modules.filter((name) => name.includes("bufbuild") || name.includes("/gen/"))).toEqual([]);
    expect(code).toContain("pm.v1.bearer.");
  });

  it("given the bundle, when it is imported in Node, then it exports what the package does", async () => {
    const bundle = Object.keys((await import(BUNDLE)) as object).toSorted();
    const index = Object.keys((await import(join(PACKAGE, "dist/index.js"))) as object).toSorted();
    expect(bundle).toEqual(index);
  });
});
