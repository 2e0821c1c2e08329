import { execFileSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

const PACKAGE = join(import.meta.dirname, "..");
const BIN = join(PACKAGE, "node_modules/.bin");

describe("the package", () => {
  let folder: string;
  let tarball: string;

  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), "pm-client-pack-"));
    execFileSync("npm", ["pack", "--ignore-scripts", "--pack-destination", folder], { cwd: PACKAGE, stdio: "pipe" });
    tarball = join(folder, readdirSync(folder)[0] ?? "");
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  it("given what is packed, when it is listed, then it is what was built, without tests and maps", () => {
    const files = execFileSync("tar", ["-tzf", tarball], { encoding: "utf8" }).trim().split("\n");
    expect(files).toEqual(
      expect.arrayContaining(["package/README.md", "package/dist/index.js", "package/dist/pm-client.min.js"]),
    );
    expect(
      files.filter((name) => name.includes(".test.") || name.endsWith(".map") || name.startsWith("package/src")),
    ).toEqual([]);
  });

  it("given Node 22, of which the README speaks, when engines are compared, then the package and all of pm that it needs take it", () => {
    const engines = ["client", "proto", "core"].map((name) => {
      const text = readFileSync(join(PACKAGE, "..", name, "package.json"), "utf8");
      return (JSON.parse(text) as { readonly engines: { readonly node: string } }).engines.node;
    });
    expect(readFileSync(join(PACKAGE, "README.md"), "utf8")).toContain("Node ≥ 22:");
    expect(engines).toEqual([">=22", ">=22", ">=22"]);
  });

  it("given publint, when it looks at the package, then there is nothing to say", () => {
    const said = execFileSync(join(BIN, "publint"), ["run", "--strict", tarball], { encoding: "utf8" });
    expect(said).toContain("All good!");
  });

  it("given attw, when it resolves every entry, then each has its types, as ESM", () => {
    // It exits with 1, which throws, when there is a problem.
    const said = execFileSync(join(BIN, "attw"), ["--profile", "esm-only", "--format", "json", tarball], {
      encoding: "utf8",
    });
    const { analysis } = JSON.parse(said) as { analysis: { entrypoints: Record<string, unknown> } };
    expect(Object.keys(analysis.entrypoints).toSorted()).toEqual([".", "./bundle", "./protobuf"]);
  });
});
