import { CloseCode } from "@pm/proto";
import { describe, expect, it } from "vitest";
import { expectPromiseKept } from "./support/expect-promise-kept.ts";
import { SimulatedServer } from "./support/simulated-server.ts";

describe("delivery, in a simulation", () => {
  it("given a subscriber, when publications are made, then it has them all", async () => {
    await using simulation = new SimulatedServer();
    const [reader, writer] = [simulation.client("t1", "r"), simulation.client("t1", "w", "json")];
    await Promise.all([reader.connect(), writer.connect()]);
    await reader.subscribe("room:1");
    for (let n = 1; n <= 100; n++) await writer.publish("room:1", `id-${n}`, { bytes: 1000 });
    await reader.reaches("room:1", 100);
    expectPromiseKept(simulation.checker);
  });

  it("given a reader that stalls, when it reads again, then it has all or is told", async () => {
    await using simulation = new SimulatedServer({ channelKinds: { defaults: { retainedCount: 20 } } });
    const [reader, writer] = [simulation.client("t1", "r"), simulation.client("t1", "w", "json")];
    await Promise.all([reader.connect(), writer.connect()]);
    await reader.subscribe("room:1");
    reader.stall();
    for (let n = 1; n <= 100; n++) await writer.publish("room:1", `id-${n}`, { bytes: 10_000 });
    expect(reader.cursor("room:1")?.offset).toBeLessThan(5);
    reader.resume();
    await reader.reaches("room:1", 100);
    expectPromiseKept(simulation.checker);
  });

  it("given replies that a client does not take, when they are over their bound, then it is closed with 4008", async () => {
    await using simulation = new SimulatedServer({ maxQueuedReplies: 100 });
    const [client, other] = [simulation.client("t1", "u"), simulation.client("t1", "o")];
    await Promise.all([client.connect(), other.connect()]);
    await other.publish("room:1", "p1", { bytes: 60_000 });
    client.stall();
    const answers = [client.readHistory("room:1"), client.readHistory("room:1")];
    await simulation.pass(20);
    const ping = { body: { case: "ping" as const, value: {} } };
    const pongs = client.send(...Array.from({ length: 200 }, () => ping));
    const outcomes = Promise.allSettled([...answers, pongs]);
    await simulation.pass(100);
    const codes = [...simulation.server.connections.find()].map(({ closing }) => closing?.code);
    expect(codes).toEqual([CloseCode.SLOW_CLIENT, undefined]);
    client.resume();
    await client.until(() => !client.isConnected);
    expect(client.closeCode).toBe(CloseCode.SLOW_CLIENT);
    await outcomes;
  });

  it("given pages of history that a client does not take, when more are asked for, then they wait and the socket is not read", async () => {
    await using simulation = new SimulatedServer();
    const [client, other] = [simulation.client("t1", "u"), simulation.client("t1", "o")];
    await Promise.all([client.connect(), other.connect()]);
    for (let n = 1; n <= 10; n++) await other.publish("room:1", `p${n}`, { bytes: 60_000 });
    client.stall();
    const pages = Array.from({ length: 20 }, () => client.readHistory("room:1"));
    await simulation.pass(100);
    const [connection] = simulation.server.connections.find({ user: "u" });
    expect(connection?.closing).toBeUndefined();
    expect(connection?.outbox.queuedBytes).toBeLessThan(3 * 262_144);
    client.resume();
    expect((await Promise.all(pages)).map(({ publications }) => publications.length)).toEqual(
      Array.from({ length: 20 }, () => 3),
    );
    // Its socket is read again.
    await client.publish("room:1", "p11");
  });
});
