import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { payloadId, type RecordingClient } from "../src/testing/index.ts";
import { expectPromiseKept } from "./support/expect-promise-kept.ts";
import { RealServer } from "./support/real-server.ts";

const TENANTS = ["t1", "t2"] as const;
const USERS = ["ann", "bob"] as const;
const CHANNELS = ["room:1", "user", "tenant"] as const;

/** Something that a client of one of the tenants does; the other tenant has the same users, channels, keys and ids. */
interface Step {
  readonly kind: "publish" | "backend" | "subscribe" | "rewind" | "history" | "cut";
  readonly tenant: number;
  readonly user: number;
  readonly channel: number;
}

const step: fc.Arbitrary<Step> = fc.record({
  kind: fc.constantFrom("publish", "publish", "backend", "subscribe", "rewind", "history", "cut"),
  tenant: fc.nat({ max: 1 }),
  user: fc.nat({ max: 1 }),
  channel: fc.nat({ max: 2 }),
});

const KINDS = { kinds: { tenant: { clientPublish: "allow" }, user: { clientPublish: "allow" } } } as const;

const READ_TOP = { from: Number.MAX_SAFE_INTEGER, direction: "forward", maxCount: 1, maxBytes: 1 } as const;

/** Resolves when the client has read every log that it reads to its end. */
async function reachTops(real: RealServer, client: RecordingClient): Promise<void> {
  for (const channel of CHANNELS) {
    if (client.cursor(channel) === undefined) continue;
    const { top } = await real.server.broker.read(client.logOf(channel), READ_TOP);
    await client.reaches(channel, top.offset);
  }
}

/** Carries the steps out and looks at everything that comes back. */
async function playAndExpect(steps: readonly Step[]): Promise<void> {
  await using real = await RealServer.start({ channelKinds: KINDS });
  const clients = new Map<string, RecordingClient>();
  for (const tenant of TENANTS) {
    for (const [index, user] of USERS.entries()) {
      clients.set(`${tenant}.${user}`, await real.connect(tenant, user, index === 0 ? "proto" : "json"));
    }
  }
  for (const [number, { kind, tenant: tenantIndex, user: userIndex, channel: channelIndex }] of steps.entries()) {
    const tenant = TENANTS[tenantIndex] ?? TENANTS[0];
    const client = clients.get(`${tenant}.${USERS[userIndex] ?? USERS[0]}`);
    const channel = CHANNELS[channelIndex] ?? CHANNELS[0];
    if (client === undefined) throw new RangeError("there is no such client");
    // Now and then the same again, with the key that everybody uses.
    const key = `k${number % 7}`;
    if (kind === "publish") await client.publish(channel, `${client.name}-${channel}-${key}`, { idempotencyKey: key });
    if (kind === "backend") await real.publish(client.logOf(channel), `${tenant}-${number}`);
    if (kind === "subscribe") await client.subscribe(channel, { since: client.cursor(channel) });
    if (kind === "rewind") await client.subscribe(channel, { rewind: 5 });
    if (kind === "history") {
      const { publications } = await client.readHistory(channel);
      expect(publications.map(({ payload }) => payloadId(payload)).filter((id) => !id.startsWith(tenant))).toEqual([]);
    }
    if (kind === "cut") {
      await client.cut();
      await client.reconnect();
    }
  }
  for (const client of clients.values()) await reachTops(real, client);
  expectPromiseKept(real.checker);
  for (const { context, subscriptions } of real.server.connections.find()) {
    for (const { channel } of subscriptions) expect(channel.ref.tenant).toBe(context.tenant);
  }
}

describe("two tenants with the same names", () => {
  it("given any operations of both, when they are carried out, then neither sees anything of the other", async () => {
    await fc.assert(fc.asyncProperty(fc.array(step, { maxLength: 40, size: "max" }), playAndExpect));
  }, 120_000);
});
