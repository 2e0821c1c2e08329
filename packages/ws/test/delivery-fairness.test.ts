import { describe, expect, it } from "vitest";
import type { RecordingClient } from "../src/testing/index.ts";
import { expectPromiseKept } from "./support/expect-promise-kept.ts";
import { RealServer } from "./support/real-server.ts";

const CROWD = 60;

async function crowdOf(real: RealServer, tenant: string, count: number): Promise<RecordingClient[]> {
  const clients: RecordingClient[] = [];
  for (let index = 0; index < count; index++) {
    const client = await real.connect(tenant, `u${index}`);
    await client.subscribe("room:1");
    clients.push(client);
  }
  return clients;
}

describe("a tenant that publishes as fast as it can", () => {
  it("given a crowd of subscribers, when another tenant publishes meanwhile, then all of both arrives in order", async () => {
    await using real = await RealServer.start();
    const crowd = await crowdOf(real, "noisy", CROWD);
    const [quiet, writer] = await crowdOf(real, "quiet", 2);
    const flood = await real.connect("noisy", "flood");
    let isOver = false;
    let flooded = 0;
    const flooding = (async () => {
      while (!isOver) {
        const ids = Array.from({ length: 100 }, () => `n${++flooded}`);
        await Promise.all(ids.map((id) => flood.publish("room:1", id, { bytes: 500 })));
      }
    })();
    for (let n = 1; n <= 100; n++) {
      await writer?.publish("room:1", `q${n}`);
      await quiet?.reaches("room:1", n);
    }
    isOver = true;
    await flooding;
    await Promise.all(crowd.map((client) => client.reaches("room:1", flooded)));
    expect(flooded).toBeGreaterThan(200);
    expectPromiseKept(real.checker);
  });

  it("given a fan-out over its bound, when a client publishes on, then it is held back, not refused, and all is delivered", async () => {
    await using real = await RealServer.start({ maxPendingBytesPerTenant: 4096 });
    const crowd = await crowdOf(real, "noisy", CROWD);
    const flood = await real.connect("noisy", "flood");
    const [quiet, writer] = await crowdOf(real, "quiet", 2);
    const ids = Array.from({ length: 800 }, (_, index) => `n${index + 1}`);
    const flooding = Promise.all(ids.map((id) => flood.publish("room:1", id, { bytes: 1000 })));
    let mostPending = 0;
    for (let n = 1; n <= 20; n++) {
      await writer?.publish("room:1", `q${n}`);
      await quiet?.reaches("room:1", n);
      mostPending = Math.max(mostPending, real.server.broadcaster.pendingBytes);
    }
    await flooding;
    await Promise.all(crowd.map((client) => client.reaches("room:1", ids.length)));
    expect(mostPending).toBeLessThan(200_000);
    expect(real.server.broadcaster.pendingBytes).toBe(0);
    expectPromiseKept(real.checker);
  });
});
