import { type ChannelName, parseTenantId } from "@pm/core";
import { CloseCode } from "@pm/proto";
import { describe, expect, test } from "vitest";
import { InterposedBroker } from "../../test/support/interposed-broker.ts";
import { MessageClient, type MessageToSend, outline } from "../../test/support/message-client.ts";
import { SimulatedServer } from "../../test/support/simulated-server.ts";
import { MemoryBroker } from "../log/memory-broker.ts";
import { Pause, type WebSocketConnection } from "./websocket-connection.ts";

const ROOM = "room:1" as ChannelName;
const PING = clientFrame(0x89);
const PONG = clientFrame(0x8a);
const TIMES = { graceSecs: 0, windowSecs: 1, deadlineSecs: 25 };

/** A client's frame, masked with zeros. */
function clientFrame(first: number, content: readonly number[] = []): Buffer {
  return Buffer.from([first, 0x80 | content.length, 0, 0, 0, 0, ...content]);
}

/** The one connection of a server, and what it is sent to as it is. */
function only(simulation: SimulatedServer): { connection: WebSocketConnection; write: (bytes: Buffer) => void } {
  const [connection] = simulation.server.connections.find();
  const [clientEnd] = simulation.clientEnds;
  if (connection === undefined || clientEnd === undefined) throw new TypeError("nobody is connected");
  return { connection, write: (bytes) => clientEnd.write(bytes) };
}

function message(id: number, kind: "subscribe" | "unsubscribe" | "publish"): MessageToSend {
  return { id, body: { case: kind, value: { channel: ROOM } } };
}

/** A server whose log answers when it is let. */
function waitingServer(): { simulation: SimulatedServer; hold: () => void; letGo: () => void } {
  const broker = new InterposedBroker(new MemoryBroker());
  const waiting: (() => void)[] = [];
  return {
    simulation: new SimulatedServer({ broker }),
    hold: () => {
      broker.beforeRead = () => new Promise((resolve) => waiting.push(resolve));
    },
    letGo: () => {
      broker.beforeRead = async () => undefined;
      for (const resolve of waiting) resolve();
    },
  };
}

/** Has the one connection wait for its socket, with a page of history that was asked for. */
async function waitForSocket(simulation: SimulatedServer): Promise<WebSocketConnection> {
  const client = simulation.client("t1", "u");
  await client.connect();
  for (let n = 1; n <= 5; n++) await client.publish(ROOM, `p${n}`, { bytes: 60_000 });
  client.stall();
  const pages = Array.from({ length: 3 }, () => client.readHistory(ROOM));
  void Promise.allSettled(pages);
  await simulation.pass(100);
  const { connection } = only(simulation);
  expect(connection.inFlight).toBeGreaterThan(0);
  expect(connection.isPaused).toBe(true);
  return connection;
}

test("given a command that failed, when the next one on its channel comes, then it waits for nothing", async () => {
  await using simulation = new SimulatedServer({ defaultGrants: "deny" });
  using client = await MessageClient.open(simulation);
  const messages = await client.exchange(message(1, "subscribe"), message(2, "unsubscribe"), message(3, "publish"));
  expect(outline(messages)).toEqual([
    "1 error PERMISSION_DENIED",
    "2 error NOT_SUBSCRIBED",
    "3 error PERMISSION_DENIED",
  ]);
  expect(only(simulation).connection.inOrder(ROOM, () => "at once")).toBe("at once");
});

describe("a socket that is not read", () => {
  test("given two reasons, when one is gone, then it is read again only when the other is too", async () => {
    await using simulation = new SimulatedServer();
    using _ = await MessageClient.open(simulation);
    const { connection } = only(simulation);
    expect([connection.pause(Pause.IN_FLIGHT), connection.pause(Pause.HISTORY)]).toEqual([true, true]);
    expect(connection.pause(Pause.HISTORY)).toBe(false);
    connection.resume(Pause.IN_FLIGHT);
    expect([connection.isPaused, connection.webSocket.isPaused]).toEqual([true, true]);
    connection.resume(Pause.HISTORY);
    expect([connection.isPaused, connection.webSocket.isPaused]).toEqual([false, false]);
  });

  test("given 64 messages since the last turn of deliveries, when no more were, then it is read on after the next", async () => {
    await using simulation = new SimulatedServer();
    using client = await MessageClient.open(simulation);
    const { connection } = only(simulation);
    connection.countRead(63, 2_000);
    expect(connection.isPaused).toBe(false);
    connection.countRead(1, 1);
    expect([connection.isPaused, connection.webSocket.isPaused]).toEqual([true, true]);
    await simulation.pass(20);
    expect([connection.isPaused, connection.webSocket.isPaused]).toEqual([false, false]);
    connection.countRead(1, 62 * 2_048);
    expect(connection.isPaused).toBe(false);
    connection.countRead(1, 0);
    expect(connection.isPaused).toBe(true);
    const pings = Array.from(
      { length: 1000 },
      (_, n): MessageToSend => ({ id: n + 1, body: { case: "ping", value: {} } }),
    );
    for (let n = 0; n < pings.length; n += 100) client.send(...pings.slice(n, n + 100));
    await client.until(() => client.messages.length === pings.length);
    expect(outline(client.messages)).toEqual(pings.map(({ id }) => `${id} pong`));
  });

  test("given one that is closed while it waits for a turn, when that comes, then nothing happens", async () => {
    await using simulation = new SimulatedServer();
    using client = await MessageClient.open(simulation);
    const { connection } = only(simulation);
    connection.countRead(64, 0);
    connection.close({ code: CloseCode.FORBIDDEN, reason: "suspended" });
    connection.countRead(64, 0);
    expect(connection.isPaused).toBe(false);
    await simulation.pass(200);
    expect([client.closeCode, simulation.server.connections.size]).toEqual([CloseCode.FORBIDDEN, 0]);
  });

  test("given one that is closed, when its client answers the close, then that is heard, and nothing pauses it", async () => {
    await using simulation = new SimulatedServer();
    using client = await MessageClient.open(simulation);
    const { connection } = only(simulation);
    connection.pause(Pause.CONGESTED);
    connection.close({ code: CloseCode.FORBIDDEN, reason: "suspended" });
    expect(connection.pause(Pause.IN_FLIGHT)).toBe(false);
    expect(connection.isPaused).toBe(false);
    await simulation.pass(200);
    expect([client.closeCode, simulation.server.connections.size]).toEqual([CloseCode.FORBIDDEN, 0]);
  });
});

describe("a command that waits for its socket", () => {
  test("given a connection that is closed, when that begins, then the command has its outcome", async () => {
    await using simulation = new SimulatedServer();
    const connection = await waitForSocket(simulation);
    simulation.server.disconnect(parseTenantId("t1"));
    await simulation.pass(20);
    expect(connection.inFlight).toBe(0);
  });

  test("given a connection that is cut off, when its socket has closed, then the command has its outcome", async () => {
    await using simulation = new SimulatedServer();
    const connection = await waitForSocket(simulation);
    connection.terminate();
    await connection.whenIdle();
    expect(connection.inFlight).toBe(0);
  });
});

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

  test("given a command without its outcome, when it is drained, then nothing more is read, and it closes behind the answer", async () => {
    const { simulation, hold, letGo } = waitingServer();
    await using _ = simulation;
    using client = await MessageClient.open(simulation);
    const { connection } = only(simulation);
    hold();
    client.send(message(1, "subscribe"));
    await simulation.pass(20);
    connection.drain();
    client.send(message(2, "unsubscribe"));
    await simulation.pass(100);
    expect([connection.closing, connection.isPaused]).toEqual([undefined, true]);
    letGo();
    await client.until(() => client.closeCode !== undefined);
    expect([outline(client.messages), client.closeCode]).toEqual([["1 subscribed"], CloseCode.DRAINING]);
  });
});

describe("the end of a connection", () => {
  test.each([
    ["a close of the client without a code", CloseCode.NORMAL, clientFrame(0x88)],
    ["a close of the client with one", CloseCode.GOING_AWAY, clientFrame(0x88, [0x03, 0xe9])],
    ["reserved bits", CloseCode.PROTOCOL_ERROR, clientFrame(0xc2)],
    ["a message that is too large", CloseCode.TOO_BIG, Buffer.from([0x82, 0xff, 0, 0, 0, 0, 0, 0x10, 0, 0])],
    ["a length over 2^53", CloseCode.TOO_BIG, Buffer.from([0x82, 0xff, 0xff, 0, 0, 0, 0, 0, 0, 0])],
    ["text that is not UTF-8", CloseCode.INVALID_UTF8, clientFrame(0x81, [0xff])],
    [
      "too many fragments",
      CloseCode.POLICY,
      Buffer.concat([clientFrame(0x02), ...Array.from({ length: 64 }, () => clientFrame(0x00))]),
    ],
  ])("given %s, when it has ended, then it is counted once, with code %d", async (_, code, bytes) => {
    await using simulation = new SimulatedServer();
    using client = await MessageClient.open(simulation);
    only(simulation).write(bytes);
    await client.until(() => client.closeCode !== undefined);
    await simulation.pass(20);
    const counted = await simulation.server.metrics.registry.getSingleMetricAsString("pm_ws_connections_closed_total");
    expect(counted.split("\n").slice(2)).toEqual([`pm_ws_connections_closed_total{code="${code}"} 1`]);
  });

  test("given a connection that is cut off, when it has ended, then it is counted with 1006", async () => {
    await using simulation = new SimulatedServer();
    using _ = await MessageClient.open(simulation);
    const { connection } = only(simulation);
    connection.terminate();
    await simulation.pass(20);
    expect(connection.closing?.reason).toBe("cut off");
    const counted = await simulation.server.metrics.registry.getSingleMetricAsString("pm_ws_connections_closed_total");
    expect(counted).toContain('{code="1006"} 1');
  });

  test("given a connection that is closed, when it is closed once more, then the first reason stays", async () => {
    await using simulation = new SimulatedServer();
    using client = await MessageClient.open(simulation);
    const { connection } = only(simulation);
    connection.close({ code: CloseCode.FORBIDDEN, reason: "suspended" });
    connection.close({ code: CloseCode.DRAINING, reason: "draining" });
    expect(connection.closing?.code).toBe(CloseCode.FORBIDDEN);
    await client.until(() => client.closeCode !== undefined);
    expect(client).toMatchObject({ closeCode: CloseCode.FORBIDDEN, closeReason: "suspended" });
  });

  test("given subscriptions, when the connection is closed, then nobody holds their channels, before its client answers", async () => {
    await using simulation = new SimulatedServer();
    using client = await MessageClient.open(simulation);
    await client.exchange(message(1, "subscribe"));
    expect(simulation.server.broadcaster.channelCount).toBe(2);
    client.stall();
    only(simulation).connection.close({ code: CloseCode.FORBIDDEN, reason: "suspended" });
    expect(simulation.server.broadcaster.channelCount).toBe(0);
  });

  test("given the last reader of a channel, when it is closed by what it is offered, then nothing waits for its fan-out", async () => {
    await using simulation = new SimulatedServer({ channelKinds: { defaults: { lagPolicy: "disconnect" } } });
    const [reader, writer] = [simulation.client("t1", "r"), simulation.client("t1", "w")];
    await Promise.all([reader.connect(), writer.connect()]);
    await reader.subscribe(ROOM);
    reader.stall();
    for (let n = 1; n <= 10; n++) await writer.publish(ROOM, `p${n}`, { bytes: 30_000 });
    await simulation.pass(20);
    expect([...simulation.server.connections.find({ user: "r" })].map(({ closing }) => closing?.code)).toEqual([
      CloseCode.SLOW_CLIENT,
    ]);
    expect(simulation.server.broadcaster.pendingBytes).toBe(0);
  });

  test("given subscriptions and the only place of a tenant, when its client goes, then both are free", async () => {
    await using simulation = new SimulatedServer({ maxConnectionsPerTenant: 1 });
    const client = await MessageClient.open(simulation);
    await client.exchange(message(1, "subscribe"));
    client[Symbol.dispose]();
    await simulation.pass(20);
    expect(simulation.server.broadcaster.channelCount).toBe(0);
    using next = await MessageClient.open(simulation);
    expect(next.closeCode).toBeUndefined();
  });
});

describe("signs of life", () => {
  test.each([
    ["a message", clientFrame(0x82)],
    ["a ping", PING],
    ["a pong", PONG],
  ])("given a connection that was idle, when %s comes, then it is not any more", async (...of) => {
    await using simulation = new SimulatedServer();
    using _ = await MessageClient.open(simulation);
    const [, bytes] = of;
    const { connection, write } = only(simulation);
    simulation.clock.advance(3000);
    expect(connection.idleMs).toBe(3000);
    write(bytes);
    await simulation.pass(0);
    expect(connection.idleMs).toBe(0);
  });

  test.each([
    ["pings", PING],
    ["pongs", PONG],
  ])("given 10 %s in each second, when there is one more, then the connection ends with 1008", async (_, frame) => {
    await using simulation = new SimulatedServer();
    using client = await MessageClient.open(simulation);
    const { connection, write } = only(simulation);
    const ten = Buffer.concat(Array.from({ length: 10 }, () => frame));
    for (let second = 0; second < 3; second++) {
      simulation.clock.advance(1000);
      write(ten);
      await simulation.pass(0);
      expect([connection.controlFrames, connection.closing]).toEqual([10, undefined]);
    }
    write(frame);
    await client.until(() => client.closeCode !== undefined);
    expect(client.closeCode).toBe(CloseCode.POLICY);
  });
});
