import { describe, expect, test } from "vitest";
import { InterposedBroker } from "../../test/support/interposed-broker.ts";
import { MessageClient, type MessageToSend, outline } from "../../test/support/message-client.ts";
import { SimulatedServer } from "../../test/support/simulated-server.ts";
import { MemoryBroker } from "../log/memory-broker.ts";

type Kind = "subscribe" | "unsubscribe" | "publish" | "readHistory";

function on(channel: string, id: number, kind: Kind): MessageToSend {
  return { id, body: { case: kind, value: { channel } } };
}

function ping(id: number): MessageToSend {
  return { id, body: { case: "ping", value: {} } };
}

/** A server whose reads wait until they are told to go on, with one client. */
async function heldBack(): Promise<{ simulation: SimulatedServer; client: MessageClient; goOn: () => Promise<void> }> {
  const broker = new InterposedBroker(new MemoryBroker());
  const simulation = new SimulatedServer({ broker });
  const client = await MessageClient.open(simulation);
  const reading: (() => void)[] = [];
  broker.beforeRead = () => new Promise((resolve) => reading.push(resolve));
  return {
    simulation,
    client,
    goOn: async () => {
      broker.beforeRead = async () => undefined;
      for (const resolve of reading) resolve();
      await simulation.pass(20);
    },
  };
}

describe("the order of commands", () => {
  test("given a Subscribe that takes its time, when commands on its channel follow, then they wait, in the order sent", async () => {
    const held = await heldBack();
    await using simulation = held.simulation;
    using client = held.client;
    const kinds: readonly Kind[] = ["subscribe", "publish", "unsubscribe", "unsubscribe", "subscribe"];
    client.send(...kinds.map((kind, index) => on("room:1", index + 1, kind)));
    await simulation.pass(20);
    expect(client.messages).toEqual([]);
    await held.goOn();
    await client.until(() => outline(client.messages).includes("5 subscribed"));
    const answers = outline(client.messages).filter((text) => !text.startsWith("0 "));
    expect(answers).toEqual([
      "1 subscribed",
      "2 published",
      "3 unsubscribed",
      "4 error NOT_SUBSCRIBED",
      "5 subscribed",
    ]);
  });

  test("given a ReadHistory that takes its time, when commands on its channel follow, then they wait, in the order sent", async () => {
    const held = await heldBack();
    await using simulation = held.simulation;
    using client = held.client;
    client.send(on("room:1", 1, "readHistory"), on("room:1", 2, "unsubscribe"), on("room:1", 3, "publish"));
    await simulation.pass(20);
    expect(client.messages).toEqual([]);
    await held.goOn();
    await client.until(() => client.messages.length === 3);
    expect(outline(client.messages)).toEqual(["1 historyPage", "2 error NOT_SUBSCRIBED", "3 published"]);
  });

  test("given a Subscribe that takes its time, when other channels are meant, then they do not wait for it", async () => {
    const held = await heldBack();
    await using simulation = held.simulation;
    using client = held.client;
    client.send(on("room:1", 1, "subscribe"), on("room:2", 2, "publish"), ping(3));
    await client.until(() => client.messages.length === 2);
    expect(outline(client.messages).toSorted()).toEqual(["2 published", "3 pong"]);
    expect(simulation.server.connections.size).toBe(1);
    await held.goOn();
    expect(outline(client.messages)).toContain("1 subscribed");
  });

  test("given a Subscribe that fails, when a command on its channel follows, then it is carried out all the same", async () => {
    await using simulation = new SimulatedServer({ maxSubscriptions: 1 });
    using client = await MessageClient.open(simulation);
    await client.exchange(on("a", 1, "subscribe"));
    const answers = await client.exchange(on("b", 2, "subscribe"), on("b", 3, "publish"));
    expect(outline(answers)).toEqual(["2 error LIMIT_EXCEEDED", "3 published"]);
  });

  test("given pages of many channels, when they are asked for at once, then one is made after the other", async () => {
    const broker = new InterposedBroker(new MemoryBroker());
    await using simulation = new SimulatedServer({ broker });
    using client = await MessageClient.open(simulation);
    let reading = 0;
    let mostReading = 0;
    broker.beforeRead = async () => {
      mostReading = Math.max(mostReading, ++reading);
      await new Promise((resolve) => setImmediate(resolve));
    };
    broker.afterRead = async () => {
      reading--;
    };
    client.send(...["a", "b", "c", "d"].map((channel, index) => on(channel, index + 1, "readHistory")));
    await client.until(() => client.messages.length === 4);
    expect(outline(client.messages)).toEqual([1, 2, 3, 4].map((id) => `${id} historyPage`));
    expect(mostReading).toBe(1);
  });

  test("given publications to one channel in a frame, when they are answered, then their offsets are in the order sent", async () => {
    await using simulation = new SimulatedServer();
    using client = await MessageClient.open(simulation);
    const answers = await client.exchange(...Array.from({ length: 50 }, (_, index) => on("a", index + 1, "publish")));
    const offsets = answers.map(({ replyTo, body }) => [
      replyTo,
      body.case === "published" ? Number(body.value.position?.offset) : undefined,
    ]);
    expect(offsets).toEqual(Array.from({ length: 50 }, (_, index) => [index + 1, index + 1]));
  });
});

describe("Hello", () => {
  test("given a session, when it is named twice, then the first name stays, and both are answered", async () => {
    await using simulation = new SimulatedServer();
    using client = await MessageClient.open(simulation);
    const hello = (id: number, sessionId: string): MessageToSend => ({
      id,
      body: { case: "hello", value: { sessionId, sdk: "test", features: ["f"] } },
    });
    expect(outline(await client.exchange(hello(1, "s1"), hello(2, "s2")))).toEqual(["1 pong", "2 pong"]);
    const [connection] = simulation.server.connections.find();
    expect(connection?.sessionId).toBe("s1");
  });

  test("given a session that comes back before its old connection has ended, when it says so, then it has the place of that", async () => {
    await using simulation = new SimulatedServer({ maxConnectionsPerTenant: 2 });
    using old = await MessageClient.open(simulation);
    using anew = await MessageClient.open(simulation);
    const hello: MessageToSend = { id: 1, body: { case: "hello", value: { sessionId: "s1" } } };
    await old.exchange(hello);
    await anew.exchange(hello);
    using third = await MessageClient.open(simulation, "t1.u2");
    expect(outline(await third.exchange(ping(1)))).toEqual(["1 pong"]);
  });
});
