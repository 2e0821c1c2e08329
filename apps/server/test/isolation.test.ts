import { RecoveryMiss } from "@pm/proto";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { jsonOf, ProtocolClient } from "./support/protocol-client.ts";
import { ServerProcess } from "./support/server-process.ts";
import { expectUnharmed } from "./support/unharmed.ts";

/** Names that a careless key, path or comparison would take for one another. */
const TENANTS = ["acme", "Acme", "acme.", "acme-1", "a"] as const;
const CHANNELS = ["project:42", "PROJECT:42", "u-1:42", "acme:project:42", "a", ":"] as const;
const STEPS = 600;

let server: ServerProcess;

beforeAll(async () => {
  server = await ServerProcess.start({ RATE_LIMIT_REQUESTS: "1000000", BROADCAST_CAPACITY: "20" });
});

afterAll(async () => {
  await expectUnharmed(server);
  await server[Symbol.asyncDispose]();
});

/** A small generator of numbers (mulberry32), so that a failure can be repeated. */
function numbers(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below;
  };
}

describe("isolation", () => {
  it("given tenants with the same channels, users and ids, when they act at random, then none sees anything of another", async () => {
    const clients = await Promise.all(
      TENANTS.map((tenant, n) =>
        ProtocolClient.connect(server, { tenant, user: "u-1", encoding: n % 2 === 0 ? "proto" : "json" }),
      ),
    );
    const counts = new Map<string, number>();
    const next = numbers(7);
    for (let step = 0; step < STEPS; step += 1) {
      const index = next(clients.length);
      const client = clients[index];
      const tenant = TENANTS[index] ?? "";
      const channel = CHANNELS[next(CHANNELS.length)] ?? "";
      const action = next(10);
      if (client === undefined) throw new Error("no such client");
      if (action < 2) await client.subscribe(channel);
      else if (action < 3) await client.request({ case: "unsubscribe", value: { channel } });
      else if (action < 5) {
        const page = await client.expect("historyPage", {
          case: "readHistory",
          value: { channel, backward: action === 4 },
        });
        for (const { payload } of page.publications)
          expect(payload?.kind.value).toBe(JSON.stringify({ tenant, channel }));
      } else {
        const key = `${tenant} ${channel}`;
        counts.set(key, (counts.get(key) ?? 0) + 1);
        const { position } = await client.publish(channel, JSON.stringify({ tenant, channel }));
        expect(position?.offset).toBe(BigInt(counts.get(key) ?? 0));
      }
    }
    for (const [index, client] of clients.entries()) {
      await client.expect("pong", { case: "ping", value: {} });
      const publications = client.received("publication");
      expect(publications.length).toBeGreaterThan(0);
      for (const publication of publications)
        expect(jsonOf(publication)).toBe(JSON.stringify({ tenant: TENANTS[index], channel: publication.channel }));
      await client.close();
    }
  });

  it("given a position in another tenant's log, when a client continues from it, then it learns nothing of that log", async () => {
    await using theirs = await ProtocolClient.connect(server, { tenant: "victim" });
    for (let n = 0; n < 3; n += 1) await theirs.publish("secret", '"theirs"');
    const { position } = await theirs.publish("secret", '"theirs"');
    await using ours = await ProtocolClient.connect(server, { tenant: "thief" });
    const subscribed = await ours.expect("subscribed", {
      case: "subscribe",
      value: { channel: "secret", since: { epoch: position?.epoch ?? "", offset: 1n } },
    });
    expect(subscribed).toMatchObject({ recovered: false, miss: RecoveryMiss.EPOCH_CHANGED, missedCount: 0n });
    expect(subscribed.top?.offset).toBe(0n);
    expect(subscribed.top?.epoch).not.toBe(position?.epoch);
  });

  it("given the channel user of two users, when each reads it, then the logs are two", async () => {
    await using one = await ProtocolClient.connect(server, { tenant: "acme", user: "one" });
    await using two = await ProtocolClient.connect(server, { tenant: "acme", user: "two" });
    await using oneElsewhere = await ProtocolClient.connect(server, { tenant: "globex", user: "one" });
    await using oneAgain = await ProtocolClient.connect(server, { tenant: "acme", user: "one" });
    const [first, second, third, again] = await Promise.all(
      [one, two, oneElsewhere, oneAgain].map((client) => client.subscribe("user")),
    );
    expect(new Set([first, second, third].map((subscribed) => subscribed?.top?.epoch)).size).toBe(3);
    expect(again?.top).toEqual(first?.top);
    expect(first?.channel).toBe("user");
  });

  it("given user ids that look like channels and tenants, when they subscribe to user, then each has a log of its own", async () => {
    const users = ["u:1", "u", "user", "tenant", "*", "{u}", "u\u0000", "ｕ", "../u", "a".repeat(128)];
    const epochs = new Set<string>();
    for (const user of users) {
      await using client = await ProtocolClient.connect(server, { tenant: "acme", user });
      const { top } = await client.subscribe("user");
      epochs.add(top?.epoch ?? "");
    }
    expect(epochs.size).toBe(users.length);
  });
});
