import { KeyedRateLimiter, RateLimiterFactory } from "@pm/auth";
import { parseTenantId } from "@pm/core";
import { ManualClock } from "@pm/core/testing";
import { CloseCode } from "@pm/proto";
import { expect, test } from "vitest";
import { MessageClient, type MessageToSend } from "../test/support/message-client.ts";
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

test("given what clients and a backend do, when metrics are collected, then each is counted, and a duplicate is not", async () => {
  const clock = new ManualClock();
  await using simulation = new SimulatedServer({
    clock,
    messageLimiters: new RateLimiterFactory({ maxRequests: 20, windowSecs: 60 }, clock),
    tenantPublications: new KeyedRateLimiter({ maxRequests: 2, windowSecs: 60, clock }),
  });
  using client = await MessageClient.open(simulation);
  const publish = { case: "publish", value: { channel: "room:1", idempotencyKey: "k" } } as const;
  await client.exchange({ id: 1, body: publish }, { id: 2, body: publish }, { id: 3, body: publish });
  const pings = Array.from({ length: 18 }, (_, n): MessageToSend => ({ id: 4 + n, body: { case: "ping", value: {} } }));
  await client.exchange(...pings);
  await client.exchange({ id: 22, body: { case: "subscribe", value: { channel: "room:1" } } });
  const backend = { payload: "1", idempotencyKey: "b" };
  for (let n = 0; n < 2; n++) {
    await simulation.server.publish({ tenant: parseTenantId("t1"), channel: "room:1" }, backend);
  }
  await simulation.pass(20);
  const series = (await simulation.server.metrics.registry.metrics()).split("\n");
  expect(series).toEqual(
    expect.arrayContaining([
      "pm_ws_connections_opened_total 1",
      "pm_ws_connections_active 1",
      "pm_ws_subscriptions_active 1",
      'pm_ws_messages_received_total{kind="publish"} 3',
      'pm_ws_messages_received_total{kind="ping"} 18',
      'pm_ws_messages_received_total{kind="subscribe"} 1',
      'pm_ws_publications_total{tenant="t1"} 2',
      'pm_ws_rate_limited_total{scope="tenant"} 1',
      'pm_ws_rate_limited_total{scope="connection"} 1',
      'pm_ws_errors_total{code="RATE_LIMIT_EXCEEDED"} 2',
      "pm_ws_message_seconds_count 1",
      "pm_ws_fan_out_subscribers_count 1",
    ]),
  );
});

test("given a reader that is behind, when metrics are collected, then it is told, with what its socket has not taken", async () => {
  await using simulation = new SimulatedServer();
  const [reader, writer] = [simulation.client("t1", "r"), simulation.client("t1", "w")];
  await Promise.all([reader.connect(), writer.connect()]);
  await reader.subscribe("room:1");
  reader.stall();
  for (let n = 1; n <= 10; n++) await writer.publish("room:1", `p${n}`, { bytes: 30_000 });
  const [connection] = simulation.server.connections.find({ user: "r" });
  const { registry } = simulation.server.metrics;
  const series = (await registry.metrics()).split("\n");
  expect(series).toContain("pm_ws_lagging_connections 1");
  expect(series).toContain(`pm_ws_queued_bytes ${connection?.outbox.queuedBytes}`);
  reader.resume();
  await reader.reaches("room:1", 10);
  expect((await registry.metrics()).split("\n")).toContain("pm_ws_lagging_connections 0");
});

test("given a server with a client, when it is closed, then no timer and no connection is left", async () => {
  await using simulation = new SimulatedServer();
  using _ = await MessageClient.open(simulation);
  await simulation.server.close();
  await simulation.pass(20);
  expect([simulation.server.connections.size, simulation.clock.pending]).toEqual([0, 0]);
  await expect(simulation.server.publish({ tenant: parseTenantId("t1") }, {})).rejects.toMatchObject({
    code: "UNAVAILABLE",
  });
});

test("given a client, when the server drains, then it is told, closed with 1012, and the drain ends with the last", async () => {
  await using simulation = new SimulatedServer();
  using client = await MessageClient.open(simulation);
  let isDone = false;
  const drained = simulation.server
    .drain({ graceSecs: 0, windowSecs: 10, deadlineSecs: 60 })
    .then(() => (isDone = true));
  await simulation.pass(9000, 1000);
  expect(client.messages.map(({ body }) => body)).toMatchObject([
    { case: "goAway", value: { reconnectAfterMs: 5000 } },
  ]);
  expect([client.closeCode, simulation.server.shutdown.left, isDone]).toEqual([undefined, 1, false]);
  await simulation.pass(2000, 1000);
  await drained;
  expect([client.closeCode, simulation.server.shutdown.left]).toEqual([CloseCode.DRAINING, 0]);
});

test("given text that is not well formed, when a backend publishes it, then it is refused, and nothing is in the log", async () => {
  await using simulation = new SimulatedServer();
  const target = { tenant: parseTenantId("t1"), channel: "room:1" };
  await expect(simulation.server.publish(target, { payload: '"\ud800"' })).rejects.toMatchObject({
    code: "INVALID_MESSAGE",
    field: "payload",
  });
  expect((await simulation.server.publish(target, { payload: "1" })).position.offset).toBe(1);
});
