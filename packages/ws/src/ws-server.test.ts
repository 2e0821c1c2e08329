import { parseTenantId } from "@pm/core";
import { expect, test } from "vitest";
import { MessageClient } from "../test/support/message-client.ts";
import { SimulatedServer } from "../test/support/simulated-server.ts";

async function counted(simulation: SimulatedServer): Promise<(number | undefined)[]> {
  const metrics = await simulation.server.metrics.registry.getMetricsAsJSON();
  const names = ["pm_ws_received_bytes_total", "pm_ws_sent_bytes_total", "pm_ws_messages_sent_total"];
  return names.map((name) => metrics.find((metric) => metric.name === name)?.values[0]?.value);
}

test("given connections, when they are open and when they have ended, then the metrics have all that went over them", async () => {
  await using simulation = new SimulatedServer();
  const [client, other] = [simulation.client("t1", "u"), simulation.client("t2", "u")];
  await Promise.all([client.connect(), other.connect()]);
  await client.publish("room:1", "p1", { bytes: 1000 });
  const open = [...simulation.server.connections.find()];
  const sums = (): number[] => [
    open.reduce((sum, { bytesIn }) => sum + bytesIn, 0),
    open.reduce((sum, { outbox }) => sum + outbox.bytesOut, 0),
    open.reduce((sum, { outbox }) => sum + outbox.messagesOut, 0),
  ];
  expect(sums()[0]).toBeGreaterThan(1000);
  expect(await counted(simulation)).toEqual(sums());
  await client.publish("room:1", "p2", { bytes: 5000 });
  await client.cut();
  await simulation.pass(20);
  expect(await counted(simulation)).toEqual(sums());
});

test("given publications that are repeated under their keys, when metrics are read, then each is counted once", async () => {
  await using simulation = new SimulatedServer();
  using client = await MessageClient.open(simulation);
  const value = { channel: "room:1", idempotencyKey: "k" };
  const request = { idempotencyKey: "k" };
  for (const id of [1, 2]) {
    await client.exchange({ id, body: { case: "publish", value } });
    await simulation.server.publish({ tenant: parseTenantId("t1"), channel: "room:1" }, request);
  }
  const metrics = await simulation.server.metrics.registry.metrics();
  expect(metrics.split("\n")).toContain('pm_ws_publications_total{tenant="t1"} 2');
});
