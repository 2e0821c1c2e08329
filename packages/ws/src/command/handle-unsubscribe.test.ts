import { expect, test } from "vitest";
import { MessageClient, type MessageToSend, outline } from "../../test/support/message-client.ts";
import { SimulatedServer } from "../../test/support/simulated-server.ts";

function unsubscribe(id: number, channel = "room:1"): MessageToSend {
  return { id, body: { case: "unsubscribe", value: { channel } } };
}

function subscribe(id: number, channel = "room:1"): MessageToSend {
  return { id, body: { case: "subscribe", value: { channel } } };
}

function publish(id: number): MessageToSend {
  return { id, body: { case: "publish", value: { channel: "room:1" } } };
}

test("given a channel that was never subscribed to, when it is unsubscribed from, then it is NOT_SUBSCRIBED", async () => {
  await using simulation = new SimulatedServer();
  using client = await MessageClient.open(simulation);
  const answers = await client.exchange(unsubscribe(1), subscribe(2), unsubscribe(3), unsubscribe(4));
  expect(outline(answers)).toEqual([
    "1 error NOT_SUBSCRIBED",
    "2 subscribed",
    "3 unsubscribed",
    "4 error NOT_SUBSCRIBED",
  ]);
  expect(answers[0]?.body).toMatchObject({ value: { field: "room:1", retryable: false } });
  expect(answers[2]?.body).toMatchObject({ value: { channel: "room:1", code: "" } });
});

test("given publications before and after it, when they are delivered, then none comes behind Unsubscribed", async () => {
  await using simulation = new SimulatedServer();
  using client = await MessageClient.open(simulation);
  await client.exchange(subscribe(1));
  await client.exchange(publish(2));
  client.send(publish(3), unsubscribe(4), publish(5));
  await client.until(() => outline(client.messages).includes("5 published"));
  await simulation.pass(100);
  const seen = outline(client.messages);
  const end = seen.indexOf("4 unsubscribed");
  expect(seen.slice(end).filter((text) => text.includes("publication"))).toEqual([]);
  expect(seen.slice(0, end)).toContain("0 publication 1");
});

test("given the only reader of a channel, when it unsubscribes, then the server lets go of the channel", async () => {
  await using simulation = new SimulatedServer();
  using client = await MessageClient.open(simulation);
  const { broadcaster } = simulation.server;
  const before = broadcaster.channelCount;
  await client.exchange(subscribe(1));
  expect(broadcaster.channelCount).toBe(before + 1);
  await client.exchange(unsubscribe(2));
  expect(broadcaster.channelCount).toBe(before);
});

test("given the tenant-wide channel, when it is unsubscribed from, then what is published there does not come", async () => {
  await using simulation = new SimulatedServer();
  using client = await MessageClient.open(simulation);
  using other = await MessageClient.open(simulation);
  expect(outline(await client.exchange(unsubscribe(1, "tenant")))).toEqual(["1 unsubscribed"]);
  const [connection] = simulation.server.connections.find();
  if (connection === undefined) throw new Error("there is a connection");
  await simulation.server.publish({ tenant: connection.context.tenant }, { payload: "1" });
  await other.until(() => other.messages.length === 1);
  expect(outline(await client.exchange({ id: 2, body: { case: "ping", value: {} } }))).toEqual(["2 pong"]);
});

test("given no id, when it is unsubscribed from, then that is answered all the same", async () => {
  await using simulation = new SimulatedServer();
  using client = await MessageClient.open(simulation);
  client.send(subscribe(0), unsubscribe(0));
  await client.until(() => client.messages.length === 2);
  expect(outline(client.messages)).toEqual(["0 subscribed", "0 unsubscribed"]);
});
