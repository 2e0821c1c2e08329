import { expect, test } from "vitest";
import { Run } from "../fanout/run.ts";
import { WsMetrics } from "./ws-metrics.ts";

const TENANTS = Array.from({ length: 10_000 }, (_, index) => [`t${index}`, index + 1] as const);

function observed(): WsMetrics {
  const metrics = new WsMetrics();
  metrics.observe({
    tenants: () => TENANTS,
    connections: () => 3,
    channels: () => 4,
    pendingBytes: () => 5,
    logBytes: () => 12,
    totals: () => ({ queuedBytes: 6, lagging: 7, subscriptions: 8, bytesIn: 10, messagesOut: 2, bytesOut: 30 }),
    drainLeft: () => 9,
  });
  return metrics;
}

async function seriesOf(metrics: WsMetrics): Promise<string[]> {
  return (await metrics.registry.metrics()).split("\n").filter((line) => line !== "" && !line.startsWith("#"));
}

test("given 10 000 tenants, when each publishes, then there are below 5000 series and no count is lost", async () => {
  const metrics = observed();
  for (const [tenant] of TENANTS) metrics.published(tenant);
  const series = await seriesOf(metrics);
  expect(series.length).toBeLessThan(5000);
  const counts = series.filter((line) => line.startsWith("pm_ws_publications_total{"));
  expect(counts).toHaveLength(21);
  expect(counts).toContain('pm_ws_publications_total{tenant="other"} 9980');
  expect(series.filter((line) => line.startsWith("pm_ws_tenant_connections{"))).toHaveLength(21);
  expect(series).toContain('pm_ws_tenant_connections{tenant="t9999"} 10000');
});

test("given codes that a client chose, when they are counted, then those of ours and unknown ones share a label", async () => {
  const metrics = observed();
  for (let code = 3000; code < 4999; code++) metrics.closed({ code, byClient: true });
  metrics.closed({ code: 1000, byClient: true });
  metrics.closed({ code: 4008, byClient: false });
  for (let i = 0; i < 100; i++) metrics.error(`MADE_UP_${i}`);
  metrics.error("constructor");
  metrics.error("INVALID_MESSAGE");
  metrics.received(undefined);
  const series = await seriesOf(metrics);
  expect(series).toContain('pm_ws_connections_closed_total{code="1000"} 1');
  expect(series).toContain('pm_ws_connections_closed_total{code="4008"} 1');
  expect(series).toContain('pm_ws_connections_closed_total{code="other"} 1999');
  expect(series.filter((line) => line.startsWith("pm_ws_connections_closed_total{"))).toHaveLength(3);
  expect(series).toContain('pm_ws_errors_total{code="INTERNAL_ERROR"} 101');
  expect(series).toContain('pm_ws_errors_total{code="INVALID_MESSAGE"} 1');
  expect(series).toContain('pm_ws_messages_received_total{kind="unknown"} 1');
});

test("given a server, when metrics are collected, then its gauges and traffic are told", async () => {
  const metrics = observed();
  metrics.sent("pong");
  await seriesOf(metrics);
  // Sums are told as they are, however often they are asked for.
  const series = await seriesOf(metrics);
  expect(series).toEqual(
    expect.arrayContaining([
      "pm_ws_connections_active 3",
      "pm_ws_channels_active 4",
      "pm_ws_fan_out_pending_bytes 5",
      "pm_ws_log_bytes 12",
      "pm_ws_queued_bytes 6",
      "pm_ws_lagging_connections 7",
      "pm_ws_subscriptions_active 8",
      "pm_ws_drain_connections_left 9",
      "pm_ws_received_bytes_total 10",
      'pm_ws_messages_sent_total{kind="pong"} 1',
      'pm_ws_messages_sent_total{kind="error"} 0',
      'pm_ws_messages_sent_total{kind="publication"} 1',
      "pm_ws_sent_bytes_total 30",
    ]),
  );
});

test("given a wall clock that was set back, when a run was handed out, then its delay is none, and no sum goes back", async () => {
  const metrics = observed();
  const entry = { offset: 1, check: 1, prevCheck: 0, publishedAtMs: 10_000, frame: Buffer.alloc(0) };
  const run = new Run("e1", [entry]);
  metrics.fannedOut(run, { subscriptions: 3, nowMs: 12_000 });
  metrics.fannedOut(run, { subscriptions: 4, nowMs: 1000 });
  expect(await seriesOf(metrics)).toEqual(
    expect.arrayContaining([
      "pm_ws_publish_to_socket_seconds_sum 2",
      "pm_ws_publish_to_socket_seconds_count 2",
      'pm_ws_publish_to_socket_seconds_bucket{le="0.0005"} 1',
      "pm_ws_fan_out_subscribers_sum 7",
    ]),
  );
});
