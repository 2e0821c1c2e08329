import { parseTenantId } from "@pm/core";
import { expect, test } from "vitest";
import { MessageClient } from "../test/support/message-client.ts";
import { SimulatedServer } from "../test/support/simulated-server.ts";

async function counted(simulation: SimulatedServer): Promise<number[]> {
  const metrics = await simulation.server.metrics.registry.getMetricsAsJSON();
  const names = ["pm_ws_received_bytes_total", "pm_ws_sent_bytes_total", "pm_ws_messages_sent_total"];
  const valuesOf = (name: string) => metrics.find((metric) => metric.name === name)?.values ?? [];
  return names.map((name) => valuesOf(name).reduce((sum, { value }) => sum + value, 0));
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

test("given a client that does all sorts of things, when metrics are read, then what it was sent is counted by kind", async () => {
  await using simulation = new SimulatedServer();
  using client = await MessageClient.open(simulation);
  await client.exchange(
    { id: 1, body: { case: "subscribe", value: { channel: "room:1" } } },
    { id: 2, body: { case: "publish", value: { channel: "room:1" } } },
    { id: 3, body: { case: "ping", value: {} } },
    { id: 4, body: { case: "unsubscribe", value: { channel: "room:2" } } },
    { id: 5, body: { case: "readHistory", value: { channel: "room:1" } } },
  );
  await client.until(() => client.messages.length === 6);
  const text = await simulation.server.metrics.registry.metrics();
  const sent = [...text.matchAll(/pm_ws_messages_sent_total\{kind="(\w+)"\} (\d+)/g)];
  expect(Object.fromEntries(sent.map(([, kind, count]) => [kind, Number(count)]))).toEqual({
    welcome: 1,
    subscribed: 2,
    unsubscribed: 0,
    published: 1,
    tokenRefreshed: 0,
    historyPage: 1,
    pong: 1,
    lagged: 0,
    goAway: 0,
    error: 1,
    publication: 1,
  });
});
