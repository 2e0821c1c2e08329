import { execFile } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { describe, expect, it } from "vitest";
import { DemoServer } from "./support/demo-server.ts";

describe("README", () => {
  it("given a running demo when the program of the README runs then it has moved a card", async () => {
    await using server = await DemoServer.start();
    const readme = readFileSync(join(import.meta.dirname, "../README.md"), "utf8");
    const program = /```ts\n(?<program>[\s\S]*?)```/.exec(readme)?.groups?.["program"] ?? "";
    // Inside of the package, where its imports are found.
    const folder = mkdtempSync(join(import.meta.dirname, "readme-"));
    try {
      const file = join(folder, "program.ts");
      writeFileSync(file, program.replaceAll("127.0.0.1:3000", `127.0.0.1:${server.port}`));
      const { stdout } = await promisify(execFile)(process.execPath, [file]);
      expect(stdout).toBe("card a1 is done: offset 1\n");
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
    await using client = server.client("acme", "reader");
    await client.connect();
    const { publications } = await client.channel("board:main").history();
    expect(publications.map(({ event, publisher }) => [event, publisher])).toEqual([["card.moved", "script"]]);
  });
});
