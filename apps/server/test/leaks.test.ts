import { existsSync, readdirSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { Inspector } from "./support/inspector.ts";
import { ProtocolClient } from "./support/protocol-client.ts";
import { ServerProcess } from "./support/server-process.ts";
import { tokenFor } from "./support/token.ts";

const CYCLES = process.env["SOAK"] === "1" ? 100_000 : 10_000;
const WARM_UP = 600;
const AT_ONCE = 20;
const TENANTS = 10;

/** Connects, subscribes, publishes and disconnects so often, in every way a client can go. */
async function cycle(server: ServerProcess, times: number, tokens: readonly string[]): Promise<void> {
  let next = 0;
  const worker = async (): Promise<void> => {
    for (let n = next++; n < times; n = next++) {
      const client = await ProtocolClient.connect(server, {
        token: tokens[n % TENANTS],
        encoding: n % 2 === 0 ? "proto" : "json",
      });
      const channel = `leak:${n % 7}`;
      client.send({ case: "hello", value: { sessionId: `session-${n}` } });
      await client.subscribe(channel);
      await client.expect("published", {
        case: "publish",
        value: { channel, payload: { kind: { case: "json", value: "1" } } },
      });
      await client.take("publication");
      if (n % 3 === 0) await client.expect("unsubscribed", { case: "unsubscribe", value: { channel } });
      if (n % 3 === 1) client.terminate();
      else await client.close();
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, () => worker()));
}

const GAUGES = [
  "pm_ws_connections_active",
  "pm_ws_subscriptions_active",
  "pm_ws_channels_active",
  "pm_ws_queued_bytes",
  "pm_ws_lagging_connections",
  "pm_ws_fan_out_pending_bytes",
];

/** Open file descriptors of a process; 0 where the system does not tell. */
function descriptors({ pid }: ServerProcess): number {
  const folder = `/proc/${pid}/fd`;
  return existsSync(folder) ? readdirSync(folder).length : 0;
}

describe("leaks", () => {
  it(`given ${CYCLES} connections that come and go, when all have gone, then heap, resources and gauges are where they began`, async () => {
    await using server = await ServerProcess.start({ BROADCAST_CAPACITY: "10" }, ["--inspect=127.0.0.1:0"]);
    using inspector = await Inspector.attach(server);
    const tokens = await Promise.all(Array.from({ length: TENANTS }, (_, n) => tokenFor({ tenant: `t-${n}` })));

    await cycle(server, WARM_UP, tokens);
    const before = await inspector.settled();
    const descriptorsBefore = descriptors(server);
    await cycle(server, CYCLES, tokens);
    const after = await inspector.settled();

    expect(after.heapBytes).toBeLessThan(before.heapBytes * 1.05);
    expect(after.resources).toEqual(before.resources);
    expect(descriptors(server)).toBe(descriptorsBefore);
    await expectGaugesAtZero(server);
  }, 1_200_000);

  it("given a connection that says Hello under ever new ids, when it has gone, then nothing of them is kept", async () => {
    await using server = await ServerProcess.start({ RATE_LIMIT_REQUESTS: "1000000" }, ["--inspect=127.0.0.1:0"]);
    using inspector = await Inspector.attach(server);
    const greet = async (times: number): Promise<void> => {
      const client = await ProtocolClient.connect(server);
      for (let n = 0; n < times; n += 1) {
        const hellos = Array.from(
          { length: 200 },
          (_, k) => ({ case: "hello", value: { sessionId: `${times}-${n}-${k}` } }) as const,
        );
        await Promise.all(client.send(...hellos).map((id) => client.reply(id)));
      }
      await client.close();
    };
    await greet(50);
    const before = await inspector.settled();
    await greet(150);
    expect((await inspector.settled()).heapBytes).toBeLessThan(before.heapBytes * 1.05);
  }, 60_000);
});

async function expectGaugesAtZero(server: ServerProcess): Promise<void> {
  const metrics = await (await fetch(`http://127.0.0.1:${server.opsPort}/metrics`)).text();
  const lines = metrics.split("\n");
  for (const gauge of GAUGES) expect(lines).toContain(`${gauge} 0`);
  expect(lines.filter((line) => line.startsWith("pm_ws_tenant_connections{"))).toEqual([]);
}
