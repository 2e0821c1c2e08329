import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { ProtocolClient } from "../support/protocol-client.ts";
import { expectUnharmed } from "../support/unharmed.ts";
import { OpsServer } from "./ops-server.ts";

/** How many tenants, each with a channel of its own. */
const TENANTS = 10_000;
const BATCH = 250;
const MAX_SERIES = 5_000;

let server: OpsServer;

beforeAll(async () => {
  server = await OpsServer.start();
});

afterAll(async () => {
  await expectUnharmed(server.process);
  await server[Symbol.asyncDispose]();
});

/** The value of every series, by its name with labels. */
async function series(): Promise<Map<string, number>> {
  const text = await (await server.get("/metrics")).text();
  const lines = text.split("\n").filter((line) => line !== "" && !line.startsWith("#"));
  return new Map(
    lines.map((line) => [line.slice(0, line.lastIndexOf(" ")), Number(line.slice(line.lastIndexOf(" ") + 1))]),
  );
}

describe("metrics", () => {
  it("given a server, when metrics are read, then they are in the form of Prometheus and all names begin with pm_", async () => {
    const response = await server.get("/metrics");
    expect(response.headers.get("content-type")).toMatch(/^text\/plain; version=0\.0\.4/);
    const names = [...(await series()).keys()];
    expect(names.filter((name) => !name.startsWith("pm_"))).toEqual([]);
    for (const name of [
      "pm_process_resident_memory_bytes",
      "pm_nodejs_eventloop_lag_seconds",
      "pm_ws_connections_active",
      "pm_ws_handshake_seconds_count",
      "pm_ws_message_seconds_count",
      "pm_ws_publish_to_socket_seconds_count",
    ]) {
      expect(names).toContain(name);
    }
  });

  it("given connections and publications of a client and a backend, when metrics are read, then they are counted", async () => {
    await using client = await ProtocolClient.connect(server, { tenant: "counted" });
    await client.publish("a", "1");
    await server.ops.publish({ tenantId: "counted", target: { case: "channel", value: "a" } });
    const counted = await series();
    expect(counted.get("pm_ws_connections_active")).toBe(1);
    expect(counted.get('pm_ws_tenant_connections{tenant="counted"}')).toBe(1);
    expect(counted.get('pm_ws_publications_total{tenant="counted"}')).toBe(2);
    expect(counted.get('pm_ws_handshakes_total{outcome="accepted"}')).toBe(1);
  });

  it("given ten thousand tenants with a channel each, when metrics are read, then there are fewer than 5000 series", async () => {
    for (let done = 0; done < TENANTS; done += BATCH) {
      const publications = Array.from({ length: BATCH }, (_, n) => ({
        tenantId: `tenant-${done + n}`,
        target: { case: "channel", value: `channel-${done + n}` } as const,
      }));
      const { outcomes } = await server.ops.publishBatch({ publications });
      expect(outcomes.filter(({ outcome }) => outcome.case !== "published")).toEqual([]);
    }
    const all = await series();
    expect(all.size).toBeLessThan(MAX_SERIES);
    const published = [...all].filter(([name]) => name.startsWith("pm_ws_publications_total"));
    expect(published.reduce((sum, [, count]) => sum + count, 0)).toBeGreaterThanOrEqual(TENANTS);
    expect(all.get('pm_ws_publications_total{tenant="other"}')).toBeGreaterThan(TENANTS / 2);
    // Each tenant's log takes at least one block of 512 bytes.
    expect(all.get("pm_ws_log_bytes")).toBeGreaterThan(TENANTS * 512);
    expect(all.get("pm_ws_log_bytes")).toBeLessThan(TENANTS * 2048);
  });
});
