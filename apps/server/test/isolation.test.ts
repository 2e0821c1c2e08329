import { RecoveryMiss } from "@pm/proto";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { outcomes, times } from "./support/outcomes.ts";
import { type Command, jsonOf, ProtocolClient, publishOf } from "./support/protocol-client.ts";
import { ServerProcess } from "./support/server-process.ts";
import { expectUnharmed } from "./support/unharmed.ts";
import { bearer, upgrade } from "./support/upgrade.ts";

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

  it("given the same user, channel and idempotency key in two tenants, when both publish, then there are two publications", async () => {
    const command: Command = { case: "publish", value: { channel: "keyed", idempotencyKey: "k-1" } };
    await using one = await ProtocolClient.connect(server, { tenant: "keyed-1" });
    await using two = await ProtocolClient.connect(server, { tenant: "keyed-2" });
    const [first, second] = [await one.expect("published", command), await two.expect("published", command)];
    expect([first.duplicate, second.duplicate]).toEqual([false, false]);
    expect(second.messageId).not.toBe(first.messageId);
    expect(await two.expect("published", command)).toMatchObject({ duplicate: true, messageId: second.messageId });
  });

  it("given the same user and session in two tenants, when one comes back under its session, then the other keeps its place", async () => {
    await using limited = await ServerProcess.start({ MAX_CONNECTIONS_PER_TENANT: "1" });
    const hello: Command = { case: "hello", value: { sessionId: "tab-1" } };
    await using one = await ProtocolClient.connect(limited, { tenant: "acme" });
    await one.expect("pong", hello);
    await using two = await ProtocolClient.connect(limited, { tenant: "globex" });
    await two.expect("pong", hello);
    for (const tenant of ["acme", "globex"]) {
      const { status } = await upgrade(limited, { headers: [await bearer({ tenant, user: "u-2" })] });
      expect([tenant, status]).toEqual([tenant, 429]);
    }
    await expectUnharmed(limited);
  });

  it("given tenants that are refused in every way, when metrics and the log are read, then each has its own alone", async () => {
    await using watched = await ServerProcess.start({ LOG_LEVEL: "debug", RATE_LIMIT_REQUESTS: "20" });
    const tenants = ["acme", "Acme", "acme.x"];
    const owners = new Map<unknown, string>();
    for (const [index, tenant] of tenants.entries()) {
      await using client = await ProtocolClient.connect(watched, { tenant, user: `user-of-${tenant}` });
      owners.set(client.welcome.connectionId, tenant);
      await outcomes(client, ...times(index + 1, publishOf("shared", "1")));
      await client.refusal({ case: "subscribe", value: { channel: `of ${tenant}` } });
      await outcomes(client, ...times(25, { case: "ping", value: {} } as const));
      await client.close();
    }
    await expect
      .poll(() => watched.lines.filter(({ event }) => event === "connection_closed"))
      .toHaveLength(tenants.length);
    const lines = watched.lines.filter((line) => line["connection_id"] !== undefined);
    expect(new Set(lines.map(({ event }) => event))).toEqual(new Set(["command_refused", "connection_closed"]));
    for (const line of lines) {
      const owner = owners.get(line["connection_id"]);
      expect([line["tenant_id"], line["user_id"]]).toEqual([owner, `user-of-${owner}`]);
    }
    const metrics = await (await fetch(`http://127.0.0.1:${watched.opsPort}/metrics`)).text();
    for (const [index, tenant] of tenants.entries())
      expect(metrics.split("\n")).toContain(`pm_ws_publications_total{tenant="${tenant}"} ${index + 1}`);
    const labels = [...metrics.matchAll(/tenant="([^"]*)"/g)].map(([, tenant]) => tenant);
    expect(labels.filter((tenant) => tenant !== "other" && !tenants.includes(tenant ?? ""))).toEqual([]);
  });
});
