import { readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { silentLogger } from "@pm/core";
import { ManualClock } from "@pm/core/testing";
import { expect, it } from "vitest";
import { readConfig } from "./config/read-config.ts";
import { createState } from "./state.ts";

const REFERENCE = readFileSync(join(import.meta.dirname, "../../../docs/metrics.md"), "utf8");

/** prom-client keeps the names of labels, and has no types for that. */
interface LabelledMetric {
  readonly labelNames?: readonly string[];
}

it("given every metric of a server when the reference is read then its row says name, type, labels and meaning", async () => {
  const config = readConfig({ JWT_SECRET: "s".repeat(32), DATA_DIR: tmpdir() });
  const { registry, ws } = createState(config, { clock: new ManualClock(), logger: silentLogger });
  const metrics = await registry.getMetricsAsJSON();
  const rows = metrics.map(({ name, type, help }) => {
    const { labelNames = [] } = registry.getSingleMetric(name) as unknown as LabelledMetric;
    const labels = labelNames.map((label) => `\`${label}\``).join(", ");
    return `| \`${name}\` | ${String(type)} | ${labels} | ${help.replace(/\.$/, "")} |`.replaceAll(/ +/g, " ");
  });
  await ws.close();

  const documented = REFERENCE.split("\n").filter((line) => line.startsWith("| `pm_"));

  expect(documented.map((row) => row.replaceAll(/ +/g, " ")).toSorted()).toEqual(rows.toSorted());
});
