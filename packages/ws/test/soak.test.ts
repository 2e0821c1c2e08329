import { execFile } from "node:child_process";
import { join } from "node:path";
import { expect, it } from "vitest";

const SOAK = join(import.meta.dirname, "../../../scripts/soak.ts");
const LEAKY_SERVER = join(import.meta.dirname, "support/leaky-server.ts");
const REFUSING_SERVER = join(import.meta.dirname, "support/refusing-server.ts");

interface Outcome {
  readonly code: number | string | null | undefined;
  readonly stdout: string;
  readonly stderr: string;
}

function soak(...args: readonly string[]): Promise<Outcome> {
  return new Promise((resolve) => {
    execFile(process.execPath, [SOAK, ...args], (error, stdout, stderr) =>
      resolve({ code: error === null ? 0 : error.code, stdout, stderr }),
    );
  });
}

it("given a server that breaks the promise, when it is soaked, then the first round finds it, and the exit code says so", async () => {
  const { code, stdout } = await soak("--minutes", "0.01", "--seed", "41", "--server", LEAKY_SERVER);
  expect(stdout).toMatch(/^round 1: seed 41, publications [1-9]/m);
  expect(stdout).toMatch(/^soak: [1-9]\d* faults in round 1; --seed 41 chooses the same again$/m);
  expect(stdout).toMatch(/^foreign \(t1\.user\d\): .* is of t2\//m);
  expect(code).toBe(1);
});

it("given a server that refuses what load does not explain, when it is soaked, then that is found, and the exit code says so", async () => {
  const { code, stdout } = await soak("--minutes", "0.01", "--server", REFUSING_SERVER);
  expect(stdout).toContain("RATE_LIMIT_EXCEEDED");
  expect(code).toBe(1);
});

it("given a server that ends, when it is soaked, then the exit code says so", async () => {
  const { code, stderr } = await soak("--minutes", "0.01", "--server", join(import.meta.dirname, "nothing-here.ts"));
  expect(stderr).toContain("the server did not start");
  expect(code).toBe(1);
});

it("given arguments that are none, when it is soaked, then nothing is, and the exit code is 2", async () => {
  const { code, stderr } = await soak("--minutes", "0");
  expect(stderr).toContain("--minutes is 0");
  expect(code).toBe(2);
});
