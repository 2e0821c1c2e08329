import { CloseCode } from "@pm/proto";
import { describe, expect, test } from "vitest";
import { InterposedBroker } from "../../test/support/interposed-broker.ts";
import { MessageClient, outline } from "../../test/support/message-client.ts";
import { SimulatedServer } from "../../test/support/simulated-server.ts";
import { MemoryBroker } from "../log/memory-broker.ts";

const TIMES = { graceSecs: 0, windowSecs: 1, deadlineSecs: 25 };

describe("the drain of a connection", () => {
  test("given commands that take their time, when it is to close, then they are answered before 1012, and nothing else is read", async () => {
    const broker = new InterposedBroker(new MemoryBroker());
    await using simulation = new SimulatedServer({ broker });
    using client = await MessageClient.open(simulation);
    const read = Promise.withResolvers<void>();
    broker.beforeRead = () => read.promise;
    client.send(
      { id: 1, body: { case: "subscribe", value: { channel: "room:1" } } },
      { id: 2, body: { case: "publish", value: { channel: "room:1" } } },
    );
    await simulation.pass(20);
    const drained = simulation.server.shutdown.drain(TIMES);
    await simulation.pass(1000);
    client.send({ id: 3, body: { case: "ping", value: {} } });
    await simulation.pass(1000);
    expect([outline(client.messages), client.closeCode]).toEqual([["0 goAway"], undefined]);
    read.resolve();
    // The client's close frame is read, though nothing else is: nobody has to be cut off after 2 s.
    await simulation.pass(200);
    expect(simulation.server.connections.size).toBe(0);
    expect(client.closeCode).toBe(CloseCode.DRAINING);
    const replies = client.messages.filter(({ replyTo }) => replyTo !== 0);
    expect(outline(replies)).toEqual(["1 subscribed", "2 published"]);
    await drained;
  });
});
