import { describe, expect, it } from "vitest";
import { expectPromiseKept } from "./support/expect-promise-kept.ts";
import { RealServer } from "./support/real-server.ts";

describe("the channel of a tenant", () => {
  it("given connections of two tenants, when a backend publishes to one, then all of that tenant have it and nobody else", async () => {
    await using real = await RealServer.start();
    const mine = [await real.connect("t1", "a"), await real.connect("t1", "b", "json")];
    const other = await real.connect("t2", "a");
    await real.publish(mine[0]?.logOf("tenant") ?? other.logOf("tenant"), "p1");
    await Promise.all(mine.map((client) => client.reaches("tenant", 1)));
    await real.publish(other.logOf("tenant"), "p2");
    await other.reaches("tenant", 1);
    expect(real.events.get("publication")).toBe(3);
    expectPromiseKept(real.checker);
  });

  it("given a client that was away, when it comes back, then it has what was published meanwhile", async () => {
    await using real = await RealServer.start();
    const client = await real.connect("t1", "a");
    await client.reaches("tenant", 0);
    await client.cut();
    for (const id of ["p1", "p2", "p3"]) await real.publish(client.logOf("tenant"), id);
    await client.reconnect();
    await client.reaches("tenant", 3);
    expectPromiseKept(real.checker);
  });

  it("given a client, when it publishes there or leaves it, then the first is denied and the second is not", async () => {
    await using real = await RealServer.start();
    const client = await real.connect("t1", "a");
    await expect(client.publish("tenant", "p1")).rejects.toMatchObject({ code: "PERMISSION_DENIED" });
    await client.unsubscribe("tenant");
    await real.publish(client.logOf("tenant"), "p2");
    await client.subscribe("tenant", { rewind: 1 });
    await client.reaches("tenant", 1);
    expectPromiseKept(real.checker);
  });

  it("given a kind that lets clients publish, when a client publishes to its tenant, then all have it", async () => {
    await using real = await RealServer.start({ channelKinds: { kinds: { tenant: { clientPublish: "allow" } } } });
    const clients = [await real.connect("t1", "a"), await real.connect("t1", "b")];
    await clients[0]?.publish("tenant", "p1");
    await Promise.all(clients.map((client) => client.reaches("tenant", 1)));
    expectPromiseKept(real.checker);
  });
});

describe("the channel of a user", () => {
  it("given devices of one user and others, when a backend publishes to the user, then its devices have it and nobody else", async () => {
    await using real = await RealServer.start();
    const devices = [await real.connect("t1", "ann"), await real.connect("t1", "ann", "json")];
    const others = [await real.connect("t1", "bob"), await real.connect("t2", "ann")];
    for (const client of [...devices, ...others]) await client.subscribe("user");
    const [device] = devices;
    if (device === undefined) throw new TypeError("no device");
    await real.publish(device.logOf("user"), "p1");
    await Promise.all(devices.map((client) => client.reaches("user", 1)));
    for (const [index, client] of others.entries()) await real.publish(client.logOf("user"), `o${index}`);
    await Promise.all(others.map((client) => client.reaches("user", 1)));
    expect(real.events.get("publication")).toBe(4);
    expectPromiseKept(real.checker);
  });

  it("given a user, when it reads the history of its channel, then it is its own, and it may not publish there", async () => {
    await using real = await RealServer.start();
    const [ann, bob] = [await real.connect("t1", "ann"), await real.connect("t1", "bob")];
    await real.publish(ann.logOf("user"), "p1");
    expect((await ann.readHistory("user")).publications).toHaveLength(1);
    expect((await bob.readHistory("user")).publications).toHaveLength(0);
    await expect(ann.publish("user", "p2")).rejects.toMatchObject({ code: "PERMISSION_DENIED" });
  });

  it("given a device that was away, when it comes back, then it has what came for its user", async () => {
    await using real = await RealServer.start();
    const device = await real.connect("t1", "ann");
    await device.subscribe("user");
    await device.cut();
    for (const id of ["p1", "p2"]) await real.publish(device.logOf("user"), id);
    await device.reconnect();
    await device.reaches("user", 2);
    expectPromiseKept(real.checker);
  });
});
