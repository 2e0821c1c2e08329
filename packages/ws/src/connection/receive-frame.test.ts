import { RateLimiterFactory } from "@pm/auth";
import { ManualClock } from "@pm/core/testing";
import { CloseCode } from "@pm/proto";
import { describe, expect, test } from "vitest";
import { InterposedBroker } from "../../test/support/interposed-broker.ts";
import { MessageClient, type MessageToSend, outline } from "../../test/support/message-client.ts";
import { SimulatedServer } from "../../test/support/simulated-server.ts";
import { MemoryBroker } from "../log/memory-broker.ts";
import { channelRef, WHOLE } from "../testing/broker-contract/broker-fixture.ts";

function ping(id: number): MessageToSend {
  return { id, body: { case: "ping", value: {} } };
}

function subscribe(id: number, channel: string): MessageToSend {
  return { id, body: { case: "subscribe", value: { channel } } };
}

/** A server whose connections may send as many messages a minute. */
function limited(maxRequests: number): { clock: ManualClock; options: { messageLimiters: RateLimiterFactory } } {
  const clock = new ManualClock();
  return { clock, options: { messageLimiters: new RateLimiterFactory({ maxRequests, windowSecs: 60 }, clock) } };
}

describe("a frame that is not what was agreed", () => {
  test.each([
    ["proto", '{"messages":[]}', "binary frames were agreed"],
    ["json", Uint8Array.of(), "text frames were agreed"],
  ] as const)(
    "given %s, when the other kind of frame comes, then it ends with 1003",
    async (encoding, frame, reason) => {
      await using simulation = new SimulatedServer();
      using client = await MessageClient.open(simulation, "t1.u1", encoding);
      client.sendFrame(frame);
      await client.until(() => client.closeCode !== undefined);
      expect(client).toMatchObject({ closeCode: CloseCode.UNSUPPORTED_DATA, closeReason: reason, messages: [] });
    },
  );

  test.each([
    ["proto", Uint8Array.of(0xff)],
    ["json", "{"],
    ["json", '{"messages":[{"id":"x"}]}'],
  ] as const)(
    "given %s, when a frame cannot be decoded, then the error is told and it ends with 4500",
    async (encoding, frame) => {
      await using simulation = new SimulatedServer();
      using client = await MessageClient.open(simulation, "t1.u1", encoding);
      client.sendFrame(frame);
      await client.until(() => client.closeCode !== undefined);
      expect(outline(client.messages)).toEqual(["0 error DECODE_ERROR"]);
      expect(client.closeCode).toBe(CloseCode.UNDECODABLE);
    },
  );

  test("given 257 messages in a frame, when it comes, then none is carried out and it ends with 4500", async () => {
    await using simulation = new SimulatedServer();
    using client = await MessageClient.open(simulation);
    client.send(...Array.from({ length: 257 }, (_, index) => ping(index + 1)));
    await client.until(() => client.closeCode !== undefined);
    expect(outline(client.messages)).toEqual(["0 error DECODE_ERROR"]);
    expect(client.closeCode).toBe(CloseCode.UNDECODABLE);
  });

  test("given a frame behind one that ended the connection, when it comes, then nothing of it is carried out", async () => {
    await using simulation = new SimulatedServer();
    using client = await MessageClient.open(simulation);
    client.sendFrame(Uint8Array.of(0xff));
    client.send({ id: 1, body: { case: "publish", value: { channel: "room:1" } } });
    await client.until(() => client.closeCode !== undefined);
    await simulation.pass(100);
    const { top } = await simulation.server.broker.read(channelRef("room:1"), WHOLE);
    expect([top.offset, outline(client.messages)]).toEqual([0, ["0 error DECODE_ERROR"]]);
  });
});

describe("a message that says nothing", () => {
  test.each(["proto", "json"] as const)(
    "given an empty frame in %s, when it comes, then it is told and the connection stays",
    async (encoding) => {
      await using simulation = new SimulatedServer();
      using client = await MessageClient.open(simulation, "t1.u1", encoding);
      client.sendFrame(encoding === "json" ? "{}" : Uint8Array.of());
      const messages = await client.exchange(ping(1));
      expect(outline(messages)).toEqual(["0 error INVALID_MESSAGE", "1 pong"]);
      expect(messages[0]?.body).toMatchObject({ value: { field: "messages", retryable: false } });
    },
  );

  test("given a message without a body among others, when the frame comes, then it alone is refused, with its id", async () => {
    await using simulation = new SimulatedServer();
    using client = await MessageClient.open(simulation);
    const messages = await client.exchange(ping(1), { id: 2 }, ping(3), {});
    expect(outline(messages).toSorted()).toEqual(
      ["1 pong", "2 error INVALID_MESSAGE", "3 pong", "0 error INVALID_MESSAGE"].toSorted(),
    );
  });

  test("given commands without an id, when they succeed, then nothing is answered, and when they fail, then the error is", async () => {
    await using simulation = new SimulatedServer();
    using client = await MessageClient.open(simulation);
    const publish = (channel: string): MessageToSend => ({ body: { case: "publish", value: { channel } } });
    client.send(ping(0), publish("room:1"), publish("tenant"), {
      body: { case: "unsubscribe", value: { channel: "a" } },
    });
    await simulation.pass(20);
    const messages = await client.exchange(ping(1));
    expect(outline(messages)).toEqual(["1 pong"]);
    expect(outline(client.messages)).toEqual(["0 error PERMISSION_DENIED", "0 error NOT_SUBSCRIBED", "1 pong"]);
  });
});

test("given a Subscribe and an Unsubscribe without an id, when they are carried out, then both are told all the same", async () => {
  await using simulation = new SimulatedServer();
  using client = await MessageClient.open(simulation);
  client.send(subscribe(0, "a"), { body: { case: "unsubscribe", value: { channel: "a" } } });
  await client.until(() => client.messages.length === 2);
  expect(outline(client.messages)).toEqual(["0 subscribed", "0 unsubscribed"]);
});

describe("the rate of a connection", () => {
  test("given messages over it, when they come, then they are dropped, told when to come again, and others are not", async () => {
    const { clock, options } = limited(2);
    await using simulation = new SimulatedServer({ clock, ...options });
    using client = await MessageClient.open(simulation);
    using other = await MessageClient.open(simulation);
    const publish = (id: number): MessageToSend => ({ id, body: { case: "publish", value: { channel: "room:1" } } });
    const messages = await client.exchange(publish(1), publish(2), publish(3));
    expect(outline(messages).toSorted()).toEqual(["1 published", "2 published", "3 error RATE_LIMIT_EXCEEDED"]);
    const refusal = messages.find(({ replyTo }) => replyTo === 3)?.body;
    expect(refusal).toMatchObject({ value: { retryable: true, retryAfterMs: 30_000 } });
    expect((await simulation.server.broker.read(channelRef("room:1"), WHOLE)).top.offset).toBe(2);
    expect(outline(await other.exchange(ping(1)))).toEqual(["1 pong"]);
    clock.advance(30_000);
    expect(outline(await client.exchange(ping(4)))).toEqual(["4 pong"]);
  });

  test("given five frames in a row over it, when the fifth comes, then it ends with 4029, and not before", async () => {
    const { clock, options } = limited(1);
    await using simulation = new SimulatedServer({ clock, ...options });
    using client = await MessageClient.open(simulation);
    await client.exchange(ping(1));
    // As many violations in one frame are one.
    await client.exchange(...Array.from({ length: 20 }, (_, index) => ping(100 + index)));
    for (let id = 2; id <= 4; id++) await client.exchange(ping(id));
    expect(client.closeCode).toBeUndefined();
    client.send(ping(5));
    await client.until(() => client.closeCode !== undefined);
    expect(client.closeCode).toBe(CloseCode.RATE_LIMITED);
    expect(outline(client.messages).filter((text) => text.endsWith("RATE_LIMIT_EXCEEDED"))).toHaveLength(24);
  });

  test("given five frames in a row that are over it in part, when the fifth comes, then it ends with 4029", async () => {
    const { clock, options } = limited(1);
    await using simulation = new SimulatedServer({ clock, ...options });
    using client = await MessageClient.open(simulation);
    for (let id = 1; id <= 9; id += 2) {
      expect(client.closeCode).toBeUndefined();
      clock.advance(60_000);
      client.send(ping(id), ping(id + 1));
      await client.until(() => client.closeCode !== undefined || client.messages.length > id);
    }
    await client.until(() => client.closeCode !== undefined);
    expect(client.closeCode).toBe(CloseCode.RATE_LIMITED);
  });

  test("given a frame within it, when it comes between, then those before do not count any more", async () => {
    const { clock, options } = limited(1);
    await using simulation = new SimulatedServer({ clock, ...options });
    using client = await MessageClient.open(simulation);
    for (let round = 0; round < 3; round++) {
      await client.exchange(ping(1));
      for (let id = 2; id <= 5; id++) await client.exchange(ping(id));
      clock.advance(60_000);
    }
    expect(client.closeCode).toBeUndefined();
  });

  test("given frames over it, when others come between that have a limit of their own, then it ends all the same", async () => {
    const { clock, options } = limited(1);
    await using simulation = new SimulatedServer({ clock, ...options });
    using client = await MessageClient.open(simulation);
    await client.exchange(ping(1));
    for (let id = 2; id <= 5; id++) {
      await client.exchange(ping(id));
      await client.exchange({ id: 100 + id, body: { case: "unsubscribe", value: { channel: "a" } } });
    }
    client.send(ping(6));
    await client.until(() => client.closeCode !== undefined);
    expect(client.closeCode).toBe(CloseCode.RATE_LIMITED);
  });

  test("given a limiter that throws, when a message comes, then its connection ends with 1011, and others stay", async () => {
    let throws = false;
    const check = (): number => {
      if (throws) throw new Error("the store of limits is gone");
      return 0;
    };
    await using simulation = new SimulatedServer({ messageLimiters: { create: () => ({ check }) } });
    using client = await MessageClient.open(simulation);
    using other = await MessageClient.open(simulation);
    throws = true;
    client.send(ping(1));
    await client.until(() => client.closeCode !== undefined);
    expect(client.closeCode).toBe(CloseCode.INTERNAL_ERROR);
    expect(outline(client.messages)).toEqual(["0 error INTERNAL_ERROR"]);
    throws = false;
    expect(outline(await other.exchange(ping(1)))).toEqual(["1 pong"]);
  });

  test("given empty frames, when they are over it, then they count like any other", async () => {
    const { clock, options } = limited(1);
    await using simulation = new SimulatedServer({ clock, ...options });
    using client = await MessageClient.open(simulation);
    for (let frame = 0; frame < 6; frame++) client.sendFrame(Uint8Array.of());
    await client.until(() => client.closeCode !== undefined);
    expect(outline(client.messages)).toEqual([
      "0 error INVALID_MESSAGE",
      ...Array.from({ length: 5 }, () => "0 error RATE_LIMIT_EXCEEDED"),
    ]);
    expect(client.closeCode).toBe(CloseCode.RATE_LIMITED);
  });

  test("given Subscribe and Unsubscribe, when messages are over their rate, then these have one of their own", async () => {
    const { clock, options } = limited(1);
    const subscribeLimiters = new RateLimiterFactory({ maxRequests: 3, windowSecs: 60 }, clock);
    await using simulation = new SimulatedServer({ clock, ...options, subscribeLimiters });
    using client = await MessageClient.open(simulation);
    await client.exchange(ping(1));
    const unsubscribe: MessageToSend = { id: 4, body: { case: "unsubscribe", value: { channel: "a" } } };
    const messages = await client.exchange(
      ping(2),
      subscribe(3, "a"),
      unsubscribe,
      subscribe(5, "b"),
      subscribe(6, "c"),
    );
    expect(outline(messages).toSorted()).toEqual([
      "2 error RATE_LIMIT_EXCEEDED",
      "3 subscribed",
      "4 unsubscribed",
      "5 subscribed",
      "6 error RATE_LIMIT_EXCEEDED",
    ]);
  });
});

describe("commands whose outcome is still to come", () => {
  test("given as many as may be, when more frames come, then the socket is not read until half are done", async () => {
    const broker = new InterposedBroker(new MemoryBroker());
    await using simulation = new SimulatedServer({ broker, maxInFlight: 4 });
    using client = await MessageClient.open(simulation);
    const [connection] = simulation.server.connections.find();
    const waiting: (() => void)[] = [];
    broker.beforeRead = () => new Promise((resolve) => waiting.push(resolve));
    for (let id = 1; id <= 4; id++) client.send(subscribe(id, `c${id}`));
    client.send(ping(5));
    await simulation.pass(100);
    expect([connection?.inFlight, connection?.webSocket.isPaused, client.messages.length]).toEqual([4, true, 0]);
    waiting.shift()?.();
    await simulation.pass(20);
    expect([outline(client.messages), connection?.webSocket.isPaused]).toEqual([["1 subscribed"], true]);
    waiting.shift()?.();
    await client.until(() => outline(client.messages).includes("5 pong"));
    expect(connection?.webSocket.isPaused).toBe(false);
    broker.beforeRead = async () => undefined;
    for (const resolve of waiting) resolve();
    await client.until(() => client.messages.length === 5);
    expect(outline(client.messages).toSorted()).toEqual([
      "1 subscribed",
      "2 subscribed",
      "3 subscribed",
      "4 subscribed",
      "5 pong",
    ]);
    expect(connection?.inFlight).toBe(0);
  });
});
