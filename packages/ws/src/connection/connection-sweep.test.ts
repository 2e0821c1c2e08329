import { create } from "@bufbuild/protobuf";
import { parseTenantId } from "@pm/core";
import { ManualClock } from "@pm/core/testing";
import { ClientMessageSchema, CloseCode, encodeClientFrame } from "@pm/proto";
import { describe, expect, it } from "vitest";
import { InterposedBroker } from "../../test/support/interposed-broker.ts";
import { SimulatedServer } from "../../test/support/simulated-server.ts";
import { MemoryBroker } from "../log/memory-broker.ts";
import type { RecordingClient } from "../testing/index.ts";

function closingOf(simulation: SimulatedServer, user: string): number | undefined {
  const [connection] = simulation.server.connections.find({ user });
  return connection?.closing?.code;
}

/** The second in which the connection of a user is closed, and with what; undefined when it is not in so many. */
async function secondOfClose(
  simulation: SimulatedServer,
  user: string,
  seconds: number,
): Promise<[number, number] | undefined> {
  for (let second = 1; second <= seconds; second++) {
    await simulation.pass(0);
    simulation.clock.advance(1000 - 20);
    const code = closingOf(simulation, user);
    if (code !== undefined) return [second, code];
  }
  return undefined;
}

/** A client's frame, masked with zeros. */
function clientFrame(first: number, content: Uint8Array): Buffer {
  return Buffer.from([first, 0x80 | content.byteLength, 0, 0, 0, 0, ...content]);
}

/** Makes the socket of a reader full. */
async function fill(writer: RecordingClient, publications = 20): Promise<void> {
  for (let n = 1; n <= publications; n++) await writer.publish("room:1", `fill-${n}`, { bytes: 30_000 });
}

/** A subscriber that has stopped to read, and is behind already, with whoever publishes to it. */
async function stalledReader(simulation: SimulatedServer): Promise<Record<"reader" | "writer", RecordingClient>> {
  const [reader, writer] = [simulation.client("t1", "r"), simulation.client("t1", "w")];
  await Promise.all([reader.connect(), writer.connect()]);
  await reader.subscribe("room:1");
  reader.stall();
  await fill(writer);
  return { reader, writer };
}

describe("limiters", () => {
  it("given a connection that has sent, when nothing is owed for that any more, then its limiter is let go, and it has another when it sends again", async () => {
    let made = 0;
    let isFull = false;
    const messageLimiters = { create: () => ({ number: ++made, check: () => 0, isFull: () => isFull }) };
    await using simulation = new SimulatedServer({ messageLimiters });
    const client = simulation.client("t1", "u");
    await client.connect();
    await client.publish("room:1", "1");
    simulation.clock.advance(3000);
    await client.publish("room:1", "2");
    expect(made).toBe(1);
    isFull = true;
    simulation.clock.advance(3000);
    await client.publish("room:1", "3");
    expect(made).toBe(2);
  });

  it("given a limiter that throws when it is asked whether anything is owed, then its connection ends with 1011, and others are looked at", async () => {
    const isFull = (): boolean => {
      throw new Error("the store of limits is gone");
    };
    const messageLimiters = { create: () => ({ check: () => 0, isFull }) };
    await using simulation = new SimulatedServer({
      heartbeatIntervalSecs: 5,
      heartbeatTimeoutSecs: 3,
      messageLimiters,
    });
    const [sender, silent] = [simulation.client("t1", "sender"), simulation.client("t1", "silent")];
    await Promise.all([sender.connect(), silent.connect()]);
    await sender.publish("room:1", "1");
    silent.stall();
    expect(await secondOfClose(simulation, "sender", 1)).toEqual([1, CloseCode.INTERNAL_ERROR]);
    expect((await secondOfClose(simulation, "silent", 10))?.[1]).toBe(CloseCode.HEARTBEAT_TIMEOUT);
  });
});

describe("the heartbeat", () => {
  it("given clients that answer and one that does not, when time passes, then that one is closed with 4009", async () => {
    await using simulation = new SimulatedServer({ heartbeatIntervalSecs: 25, heartbeatTimeoutSecs: 10 });
    const [silent, healthy] = [simulation.client("t1", "silent"), simulation.client("t1", "healthy")];
    await Promise.all([silent.connect(), healthy.connect()]);
    silent.stall();
    const closed = await secondOfClose(simulation, "silent", 40);
    expect(closed?.[1]).toBe(CloseCode.HEARTBEAT_TIMEOUT);
    expect(closed?.[0]).toBeGreaterThanOrEqual(10);
    expect(closed?.[0]).toBeLessThanOrEqual(25 + 10 + 1);
    expect(await secondOfClose(simulation, "healthy", 100)).toBeUndefined();
  });

  it("given an unanswered ping, when the process stands still for a minute, then the client has its time after that", async () => {
    const clock = new ManualClock();
    let isStill = false;
    const every = clock.every.bind(clock);
    // A process that stood still fires a timer once for all the time that went by.
    clock.every = (ms, callback) => every(ms, () => (isStill ? undefined : callback()));
    await using simulation = new SimulatedServer({ heartbeatIntervalSecs: 25, heartbeatTimeoutSecs: 10, clock });
    const client = simulation.client("t1", "u");
    await client.connect();
    client.stall();
    const [connection] = simulation.server.connections.find();
    while (connection === undefined || connection.unansweredSince === 0) clock.advance(1000);
    isStill = true;
    clock.advance(60_000);
    isStill = false;
    expect(await secondOfClose(simulation, "u", 8)).toBeUndefined();
    client.resume();
    expect(await secondOfClose(simulation, "u", 60)).toBeUndefined();
  });

  it.each([
    [25, 10],
    [5, 12],
  ])(
    "given pings every %d s without an answer, when %d s are over, then the connection is closed",
    async (...times) => {
      const [heartbeatIntervalSecs, heartbeatTimeoutSecs] = times;
      await using simulation = new SimulatedServer({ heartbeatIntervalSecs, heartbeatTimeoutSecs });
      const client = simulation.client("t1", "u");
      await client.connect();
      client.stall();
      const [connection] = simulation.server.connections.find();
      while (connection === undefined || connection.unansweredSince === 0) simulation.clock.advance(1000);
      expect(await secondOfClose(simulation, "u", 20)).toEqual([heartbeatTimeoutSecs, CloseCode.HEARTBEAT_TIMEOUT]);
    },
  );

  it("given a connection that is not read, when interval and timeout are over, then it stays, since its answers are not heard", async () => {
    const broker = new InterposedBroker(new MemoryBroker());
    await using simulation = new SimulatedServer({
      broker,
      heartbeatIntervalSecs: 25,
      heartbeatTimeoutSecs: 10,
      maxInFlight: 1,
    });
    const client = simulation.client("t1", "u");
    await client.connect();
    const [connection] = simulation.server.connections.find();
    const waiting: (() => void)[] = [];
    broker.beforeRead = () => new Promise((resolve) => waiting.push(resolve));
    const subscribed = client.subscribe("room:1");
    expect(await secondOfClose(simulation, "u", 100)).toBeUndefined();
    expect(connection?.isPaused).toBe(true);
    broker.beforeRead = async () => undefined;
    for (const resolve of waiting) resolve();
    await subscribed;
    expect(connection?.isPaused).toBe(false);
    expect(await secondOfClose(simulation, "u", 100)).toBeUndefined();
  });

  it("given connections that came together, when they are pinged, then their pings are spread over the interval", async () => {
    await using simulation = new SimulatedServer({ heartbeatIntervalSecs: 25, heartbeatTimeoutSecs: 10 });
    await Promise.all(Array.from({ length: 20 }, (_, n) => simulation.client("t1", `u${n}`).connect()));
    const pinged = new Map<string, number>();
    for (let second = 1; second <= 26; second++) {
      simulation.clock.advance(1000);
      for (const { id, unansweredSince } of simulation.server.connections.find()) {
        if (unansweredSince !== 0 && !pinged.has(id)) pinged.set(id, second);
      }
    }
    expect(pinged.size).toBe(20);
    expect(new Set(pinged.values()).size).toBeGreaterThan(5);
  });
});

describe("a message that is not finished", () => {
  it.each([
    ["one byte of a frame", [0x82]],
    ["a header alone", [0x82, 0x80 | 100, 1, 2, 3, 4]],
    ["the beginning of a frame", [0x82, 0x80 | 100, 1, 2, 3, 4, 5, 6, 7, 8, 9]],
    ["a fragment of a message", [0x02, 0x80 | 1, 1, 2, 3, 4, 5]],
  ])("given %s, when 30 s have passed, then the connection is closed with 1008, and not before", async (_, bytes) => {
    await using simulation = new SimulatedServer();
    const client = simulation.client("t1", "u");
    await client.connect();
    simulation.clientEnds[0]?.write(Buffer.from(bytes));
    const closed = await secondOfClose(simulation, "u", 40);
    expect(closed).toEqual([expect.any(Number), CloseCode.POLICY]);
    expect(closed?.[0]).toBeGreaterThanOrEqual(30);
    expect(closed?.[0]).toBeLessThanOrEqual(32);
  });

  it("given whole messages, when they come for longer than that, then the connection stays", async () => {
    await using simulation = new SimulatedServer();
    const client = simulation.client("t1", "u");
    await client.connect();
    for (let round = 1; round <= 5; round++) {
      await client.publish("room:1", `p${round}`, { bytes: 50_000 });
      expect(await secondOfClose(simulation, "u", 10)).toBeUndefined();
    }
  });

  it("given a client that is always in the middle of a message, when each is finished in time, then it stays", async () => {
    await using simulation = new SimulatedServer();
    await simulation.client("t1", "u").connect();
    const [clientEnd] = simulation.clientEnds;
    const ping = create(ClientMessageSchema, { body: { case: "ping", value: {} } });
    const frame = clientFrame(0x82, encodeClientFrame([ping], "proto") as Uint8Array);
    for (let second = 0; second < 60; second++) {
      clientEnd?.write(frame.subarray(0, 7));
      expect(await secondOfClose(simulation, "u", 1)).toBeUndefined();
      clientEnd?.write(frame.subarray(7));
    }
  });

  it("given control frames in two parts, when more than 30 s are between them, then the connection stays", async () => {
    await using simulation = new SimulatedServer();
    await simulation.client("t1", "u").connect();
    const [clientEnd] = simulation.clientEnds;
    const pong = clientFrame(0x8a, Buffer.from("pong"));
    for (let round = 0; round < 3; round++) {
      clientEnd?.write(pong.subarray(0, 7));
      expect(await secondOfClose(simulation, "u", 2)).toBeUndefined();
      clientEnd?.write(pong.subarray(7));
      expect(await secondOfClose(simulation, "u", 40)).toBeUndefined();
    }
  });
});

describe("the expiry of a token", () => {
  const authenticatorOf = (clock: ManualClock): ConstructorParameters<typeof SimulatedServer>[0] => ({
    clock,
    authenticator: {
      authenticate: async (token) => {
        const [tenant, user = ""] = token.split(".");
        return { tenant: parseTenantId(tenant), user, roles: [], grants: undefined, expiresAtMs: clock.now() + 60_000 };
      },
    },
  });

  it("given a token for a minute, when that and 30 s more are over, then the connection is closed with 4401", async () => {
    const clock = new ManualClock();
    await using simulation = new SimulatedServer(authenticatorOf(clock));
    await simulation.client("t1", "u").connect();
    const closed = await secondOfClose(simulation, "u", 120);
    expect(closed).toEqual([expect.any(Number), CloseCode.TOKEN_EXPIRED]);
    expect(closed?.[0]).toBeGreaterThanOrEqual(90);
    expect(closed?.[0]).toBeLessThanOrEqual(92);
  });

  it("given a token that is refreshed in the grace, when time goes on, then nothing is interrupted", async () => {
    const clock = new ManualClock();
    await using simulation = new SimulatedServer(authenticatorOf(clock));
    const client = simulation.client("t1", "u");
    await client.connect();
    expect(await secondOfClose(simulation, "u", 80)).toBeUndefined();
    await client.send({ body: { case: "refreshToken", value: { token: "t1.u" } } });
    expect(await secondOfClose(simulation, "u", 80)).toBeUndefined();
    expect((await secondOfClose(simulation, "u", 20))?.[1]).toBe(CloseCode.TOKEN_EXPIRED);
  });
});

describe("a reader that is behind", () => {
  it("given one that takes nothing, when 15 s are over, then it is closed with 4008", async () => {
    await using simulation = new SimulatedServer();
    await stalledReader(simulation);
    const closed = await secondOfClose(simulation, "r", 30);
    expect(closed).toEqual([expect.any(Number), CloseCode.SLOW_CLIENT]);
    expect(closed?.[0]).toBeGreaterThanOrEqual(15);
    expect(closed?.[0]).toBeLessThanOrEqual(18);
  });

  it("given one that takes much at first and then nothing, when the next 15 s are over, then it is closed with 4008", async () => {
    await using simulation = new SimulatedServer();
    const { reader, writer } = await stalledReader(simulation);
    expect(await secondOfClose(simulation, "r", 5)).toBeUndefined();
    reader.resume();
    await new Promise((resolve) => setImmediate(resolve));
    reader.stall();
    await fill(writer);
    const closed = await secondOfClose(simulation, "r", 60);
    expect(closed).toEqual([expect.any(Number), CloseCode.SLOW_CLIENT]);
    expect(closed?.[0]).toBeLessThanOrEqual(30);
  });

  it("given one that takes nothing and asks for ever more answers, when 15 s are over, then it is closed with 4008", async () => {
    await using simulation = new SimulatedServer();
    const { reader } = await stalledReader(simulation);
    const pings = Array.from({ length: 250 }, () => ({ body: { case: "ping" as const, value: {} } }));
    for (let second = 0; second < 14; second++) {
      void reader.send(...pings).catch(() => undefined);
      expect(await secondOfClose(simulation, "r", 1)).toBeUndefined();
    }
    expect(await secondOfClose(simulation, "r", 3)).toEqual([expect.any(Number), CloseCode.SLOW_CLIENT]);
  });

  it("given one that has caught up, when it falls behind again minutes later, then its 15 s begin anew", async () => {
    await using simulation = new SimulatedServer({ minDrainBytesPerSec: 1_000_000 });
    const [reader, writer] = [simulation.client("t1", "r"), simulation.client("t1", "w")];
    await Promise.all([reader.connect(), writer.connect()]);
    await reader.subscribe("room:1");
    for (const top of [20, 40]) {
      reader.stall();
      await fill(writer);
      expect(await secondOfClose(simulation, "r", 10)).toBeUndefined();
      reader.resume();
      await reader.reaches("room:1", top);
      expect(await secondOfClose(simulation, "r", 120)).toBeUndefined();
    }
  });

  it("given one that takes a little again and again, when minutes pass, then it stays, without a pong too", async () => {
    await using simulation = new SimulatedServer({ heartbeatIntervalSecs: 25, heartbeatTimeoutSecs: 10 });
    const [reader, writer] = [simulation.client("t1", "r"), simulation.client("t1", "w")];
    await Promise.all([reader.connect(), writer.connect()]);
    await reader.subscribe("room:1");
    reader.stall();
    // Nothing that it writes goes out any more.
    simulation.clientEnds[0]?.cork();
    const [connection] = simulation.server.connections.find({ user: "r" });
    for (let round = 0; round < 20; round++) {
      await fill(writer, 10);
      expect(connection?.outbox.isBehind).toBe(true);
      expect(await secondOfClose(simulation, "r", 8)).toBeUndefined();
      reader.resume();
      await new Promise((resolve) => setImmediate(resolve));
      reader.stall();
    }
  });
});
