import { ManualClock } from "@pm/core/testing";
import { RecoveryMiss, type Subscribed } from "@pm/proto";
import { describe, expect, test } from "vitest";
import { InterposedBroker } from "../../test/support/interposed-broker.ts";
import { MessageClient, type MessageToSend, outline } from "../../test/support/message-client.ts";
import { SimulatedServer } from "../../test/support/simulated-server.ts";
import type { LagPolicy } from "../channel-kinds.ts";
import { MemoryBroker } from "../log/memory-broker.ts";
import type { StreamPosition } from "../log/stream-position.ts";
import { channelRef, draft, WHOLE } from "../testing/broker-contract/broker-fixture.ts";
import { WsError } from "../ws-error.ts";

interface SubscribeValue {
  readonly channel?: string;
  readonly since?: StreamPosition;
  readonly rewind?: number;
}

function subscribe(id: number, { channel = "room:1", since, rewind = 0 }: SubscribeValue = {}): MessageToSend {
  const from = since === undefined ? {} : { since: { ...since, offset: BigInt(since.offset) } };
  return { id, body: { case: "subscribe", value: { channel, rewind, ...from } } };
}

/** A server with a log of `count` publications in room:1, of which four are retained, and a position in it. */
async function serverWithLog(
  count: number,
  lagPolicy: LagPolicy = "recover",
): Promise<{ simulation: SimulatedServer; at: (offset: number) => StreamPosition }> {
  const simulation = new SimulatedServer({ channelKinds: { defaults: { retainedCount: 4, lagPolicy } } });
  const { broker } = simulation.server;
  const positions: StreamPosition[] = [];
  for (let n = 1; n <= count; n++) positions.push((await broker.append(channelRef(), draft(String(n)))).position);
  const { epoch } = await broker.read(channelRef(), WHOLE);
  return { simulation, at: (offset) => positions[offset - 1] ?? { epoch, offset, check: 0 } };
}

async function subscribed(client: MessageClient, message: MessageToSend): Promise<Subscribed> {
  const [answer] = (await client.exchange(message)).filter(({ replyTo }) => replyTo === message.id);
  if (answer?.body.case !== "subscribed") throw new Error(`answered with ${outline(answer ? [answer] : []).join()}`);
  return answer.body.value;
}

function wire({ epoch, offset, check }: StreamPosition): object {
  return { epoch, offset: BigInt(offset), check };
}

/** Offsets of the publications that have come. */
function offsetsIn(client: MessageClient): number[] {
  return client.messages.flatMap(({ body }) => (body.case === "publication" ? [Number(body.value.offset)] : []));
}

describe("a token without history", () => {
  test.each(["recover", "latest"] as const)(
    "given a position made up from before the log, when it subscribes under the policy %s, then nothing old comes",
    async (lagPolicy) => {
      const { simulation, at } = await serverWithLog(10, lagPolicy);
      await using server = simulation;
      using client = await MessageClient.open(server, "t1.u1.subscribe");
      const madeUp = { ...at(11), offset: 2, check: 1 };
      for (const id of [1, 2]) {
        const answer = await subscribed(client, subscribe(id, { since: madeUp }));
        expect(answer).toMatchObject({ recovered: false, miss: RecoveryMiss.RETENTION, missedCount: 8n });
        expect(answer.position).toMatchObject(wire(at(10)));
      }
      await server.server.broker.append(channelRef(), draft("11"));
      await client.until(() => offsetsIn(client).length > 0);
      expect(offsetsIn(client)).toEqual([11]);
    },
  );

  test.each([
    ["of another epoch", (at: StreamPosition) => ({ ...at, epoch: "e" }), RecoveryMiss.EPOCH_CHANGED],
    ["with another tag", (at: StreamPosition) => ({ ...at, check: (at.check ^ 1) >>> 0 }), RecoveryMiss.CHECK_MISMATCH],
    ["ahead of the log", (at: StreamPosition) => ({ ...at, offset: 99 }), RecoveryMiss.AHEAD],
  ])("given a position %s, when it subscribes, then at the top, and nobody knows how many it missed", async (...of) => {
    const [, since, miss] = of;
    const { simulation, at } = await serverWithLog(10);
    await using server = simulation;
    using client = await MessageClient.open(server, "t1.u1.subscribe");
    const answer = await subscribed(client, subscribe(1, { since: since(at(8)) }));
    expect(answer).toMatchObject({ recovered: false, miss, missedCount: 0n });
    expect([answer.position, answer.top]).toMatchObject([wire(at(10)), wire(at(10))]);
  });

  test("given a position that it has seen, when it subscribes again, then it continues there", async () => {
    const { simulation, at } = await serverWithLog(10);
    await using server = simulation;
    using client = await MessageClient.open(server, "t1.u1.subscribe");
    expect(await subscribed(client, subscribe(1, { since: at(8) }))).toMatchObject({ recovered: true });
    await client.until(() => offsetsIn(client).length === 2);
    expect(offsetsIn(client)).toEqual([9, 10]);
  });
});

describe("where delivery begins", () => {
  test("given no position, when it is subscribed to, then at the top, and what follows comes behind Subscribed", async () => {
    const { simulation, at } = await serverWithLog(3);
    await using server = simulation;
    using client = await MessageClient.open(server);
    const answer = await subscribed(client, subscribe(1));
    expect(answer).toMatchObject({ channel: "room:1", recovered: false, miss: 0, missedCount: 0n });
    expect([answer.position, answer.top]).toMatchObject([wire(at(3)), wire(at(3))]);
    await server.server.broker.append(channelRef(), draft("4"));
    await client.until(() => client.messages.length === 2);
    expect(outline(client.messages)).toEqual(["1 subscribed", "0 publication 4"]);
  });

  test("given a position in the log, when it is subscribed from, then it is recovered and all behind it comes", async () => {
    const { simulation, at } = await serverWithLog(6);
    await using server = simulation;
    using client = await MessageClient.open(server);
    const answer = await subscribed(client, subscribe(1, { since: at(4) }));
    expect(answer).toMatchObject({ recovered: true, miss: 0, missedCount: 0n });
    expect([answer.position, answer.top]).toMatchObject([wire(at(4)), wire(at(6))]);
    await client.until(() => client.messages.length === 3);
    expect(outline(client.messages)).toEqual(["1 subscribed", "0 publication 5", "0 publication 6"]);
  });

  test("given a position at the top, when it is subscribed from, then it is recovered and nothing comes", async () => {
    const { simulation, at } = await serverWithLog(6);
    await using server = simulation;
    using client = await MessageClient.open(server);
    const answer = await subscribed(client, subscribe(1, { since: at(6) }));
    expect([answer.recovered, answer.position]).toMatchObject([true, wire(at(6))]);
    await server.pass(100);
    expect(offsetsIn(client)).toEqual([]);
  });

  test.each([
    ["has gone by retention", (at: StreamPosition) => ({ ...at, offset: 1, check: 7 }), RecoveryMiss.RETENTION, 5n, 6],
    ["is of another epoch", (at: StreamPosition) => ({ ...at, epoch: "e" }), RecoveryMiss.EPOCH_CHANGED, 0n, 10],
    [
      "has another tag",
      (at: StreamPosition) => ({ ...at, check: (at.check ^ 1) >>> 0 }),
      RecoveryMiss.CHECK_MISMATCH,
      0n,
      10,
    ],
    ["is ahead of the log", (at: StreamPosition) => ({ ...at, offset: 11, check: 0 }), RecoveryMiss.AHEAD, 0n, 10],
  ])(
    "given a position that %s, when it is subscribed from, then it is told so, and where it goes on",
    async (_, since, miss, missedCount, after) => {
      const { simulation, at } = await serverWithLog(10);
      await using server = simulation;
      using client = await MessageClient.open(server);
      const answer = await subscribed(client, subscribe(1, { since: since(at(8)) }));
      expect(answer).toMatchObject({ recovered: false, miss, missedCount });
      expect([answer.position, answer.top]).toMatchObject([wire(at(after)), wire(at(10))]);
      await server.pass(100);
      expect(offsetsIn(client)).toEqual(after === 10 ? [] : [7, 8, 9, 10]);
    },
  );

  test("given the policy of the newest and a position that has gone, when it is subscribed from, then just before the newest", async () => {
    const { simulation, at } = await serverWithLog(10, "latest");
    await using server = simulation;
    using client = await MessageClient.open(server);
    const answer = await subscribed(client, subscribe(1, { since: { ...at(8), offset: 1, check: 7 } }));
    expect(answer).toMatchObject({ recovered: false, miss: RecoveryMiss.RETENTION, missedCount: 8n });
    expect(answer.position).toMatchObject(wire(at(9)));
    await client.until(() => offsetsIn(client).length === 1);
    expect(offsetsIn(client)).toEqual([10]);
  });

  test.each([
    [2, 8],
    [4, 6],
    [1000, 6],
  ])(
    "given the last %i asked for, when it is subscribed to, then they come, or all that are retained",
    async (rewind, after) => {
      const { simulation, at } = await serverWithLog(10);
      await using server = simulation;
      using client = await MessageClient.open(server);
      const answer = await subscribed(client, subscribe(1, { rewind }));
      expect(answer).toMatchObject({ recovered: false, miss: 0, missedCount: 0n });
      expect([answer.position, answer.top]).toMatchObject([wire(at(after)), wire(at(10))]);
      await client.until(() => offsetsIn(client).length === 10 - after);
      expect(offsetsIn(client)[0]).toBe(after + 1);
    },
  );

  test("given a log that is renewed and written to while it is read, when the last of it are asked for, then the answer is of one log", async () => {
    const memory = new MemoryBroker();
    const broker = new InterposedBroker(memory);
    await using simulation = new SimulatedServer({ broker });
    using client = await MessageClient.open(simulation);
    for (let n = 1; n <= 10; n++) await memory.append(channelRef(), draft(String(n)));
    broker.beforeRead = async ({ from }) => {
      if (from !== 7) return;
      await memory.renew(channelRef(), (await memory.read(channelRef(), WHOLE)).epoch);
      for (let n = 1; n <= 10; n++) await memory.append(channelRef(), draft(String(n)));
    };
    const answer = await subscribed(client, subscribe(1, { rewind: 3 }));
    const { epoch, top } = await memory.read(channelRef(), WHOLE);
    expect([answer.position, answer.top]).toMatchObject([wire({ epoch, ...top }), wire({ epoch, ...top })]);
  });

  test("given an empty log, when the last of it are asked for, then it begins before the first", async () => {
    const { simulation } = await serverWithLog(0);
    await using server = simulation;
    using client = await MessageClient.open(server);
    const answer = await subscribed(client, subscribe(1, { rewind: 5 }));
    expect([answer.position?.offset, answer.top?.offset]).toEqual([0n, 0n]);
    await server.server.broker.append(channelRef(), draft("1"));
    await client.until(() => client.messages.length === 2);
    expect(offsetsIn(client)).toEqual([1]);
  });
});

describe("a channel that is subscribed to already", () => {
  test("given no position, when it is subscribed to again, then it is told where it is, and nothing comes twice", async () => {
    const { simulation, at } = await serverWithLog(3);
    await using server = simulation;
    using client = await MessageClient.open(server);
    await subscribed(client, subscribe(1, { since: at(1) }));
    await client.until(() => offsetsIn(client).length === 2);
    expect((await subscribed(client, subscribe(2))).position).toMatchObject(wire(at(3)));
    const [connection] = server.server.connections.find();
    expect(connection?.subscriptions.size).toBe(1);
    await server.server.broker.append(channelRef(), draft("4"));
    await client.until(() => offsetsIn(client).length === 3);
    await server.pass(100);
    expect(offsetsIn(client)).toEqual([2, 3, 4]);
  });

  test("given a position, when it is subscribed to again, then delivery goes on from there", async () => {
    const { simulation, at } = await serverWithLog(4);
    await using server = simulation;
    using client = await MessageClient.open(server);
    await subscribed(client, subscribe(1));
    expect(await subscribed(client, subscribe(2, { since: at(2) }))).toMatchObject({ recovered: true });
    await client.until(() => offsetsIn(client).length === 2);
    expect(offsetsIn(client)).toEqual([3, 4]);
  });
});

describe("a reader who is further than its channel has heard", () => {
  /** A server that holds the first look of room:1 at its log back, as if it took long. */
  function slowToLook(): { simulation: SimulatedServer; broker: InterposedBroker; memory: MemoryBroker } {
    const memory = new MemoryBroker();
    const broker = new InterposedBroker(memory);
    return { simulation: new SimulatedServer({ broker }), broker, memory };
  }

  test("given a log that was renewed, when it asks where it is, then top is of the same log", async () => {
    const { simulation, broker, memory } = slowToLook();
    await using server = simulation;
    using client = await MessageClient.open(server);
    for (let n = 1; n <= 3; n++) await memory.append(channelRef(), draft(String(n)));
    const { epoch, top } = await memory.read(channelRef(), WHOLE);
    await subscribed(client, subscribe(1));
    let looks = 0;
    // Only what reads on asks for more than one entry; the channel is the first to look.
    broker.beforeRead = async ({ maxCount }) => {
      if (maxCount > 1 && looks++ === 0) await new Promise(() => undefined);
    };
    await memory.renew(channelRef(), epoch);
    await memory.append(channelRef(), draft("1"));
    const moved = await subscribed(client, subscribe(2, { since: { epoch, ...top } }));
    expect(moved).toMatchObject({ miss: RecoveryMiss.EPOCH_CHANGED });
    expect(looks).toBeGreaterThan(0);
    const answer = await subscribed(client, subscribe(3));
    expect([answer.position, answer.top]).toEqual([moved.position, moved.position]);
  });
});

describe("who may subscribe", () => {
  test.each([
    ["nothing", {}, false],
    ["history", {}, false],
    ["subscribe", {}, true],
    ["subscribe", { rewind: 1 }, false],
    ["subscribe+history", { rewind: 1 }, true],
    ["subscribe", { since: { epoch: "e", offset: 1, check: 0 } }, false],
    ["subscribe", { since: { epoch: "e", offset: 0, check: 0 } }, false],
    ["subscribe", { since: { epoch: "e", offset: 1, check: 5 } }, true],
    ["subscribe+history", { since: { epoch: "e", offset: 1, check: 0 } }, true],
    ["nothing", { channel: "tenant", rewind: 1 }, true],
    ["nothing", { channel: "user" }, true],
  ])("given a token for %s, when it subscribes with %j, then it may: %s", async (grants, from, may) => {
    const { simulation } = await serverWithLog(1);
    await using server = simulation;
    using client = await MessageClient.open(server, `t1.u1.${grants}`);
    const before = server.server.broadcaster.channelCount;
    const [answer] = await client.exchange(subscribe(1, from));
    expect(outline(answer ? [answer] : [])).toEqual([may ? "1 subscribed" : "1 error PERMISSION_DENIED"]);
    if (!may) expect(server.server.broadcaster.channelCount).toBe(before);
  });
});

describe("limits, and what fails", () => {
  test("given as many subscriptions as may be, when one more is asked for, then it is refused until one ends", async () => {
    await using simulation = new SimulatedServer({ maxSubscriptions: 2 });
    using client = await MessageClient.open(simulation);
    const channels = ["a", "b", "c", "tenant"].map((channel, index) => subscribe(index + 1, { channel }));
    const answers = await client.exchange(...channels);
    expect(outline(answers).toSorted()).toEqual([
      "1 subscribed",
      "2 subscribed",
      "3 error LIMIT_EXCEEDED",
      "4 subscribed",
    ]);
    await client.exchange({ id: 5, body: { case: "unsubscribe", value: { channel: "a" } } });
    expect(outline(await client.exchange(subscribe(6, { channel: "c" })))).toEqual(["6 subscribed"]);
  });

  test("given a limit of one, when a client subscribes before it has its tenant's channel, then that takes no place", async () => {
    const broker = new InterposedBroker(new MemoryBroker());
    await using simulation = new SimulatedServer({ broker, maxSubscriptions: 1 });
    const waiting: (() => void)[] = [];
    broker.beforeRead = () => new Promise((resolve) => waiting.push(resolve));
    const client = simulation.client("t1", "u1");
    await client.connect();
    const answer = client.subscribe("room:1");
    await simulation.pass(20);
    broker.beforeRead = async () => undefined;
    for (const resolve of waiting) resolve();
    expect((await answer).channel).toBe("room:1");
  });

  test("given as many channels as a tenant may have, when another is asked for, then it is refused, and others are not", async () => {
    await using simulation = new SimulatedServer({ maxChannelsOf: () => 1 });
    using client = await MessageClient.open(simulation);
    using other = await MessageClient.open(simulation, "t2.u1");
    const answers = await client.exchange(subscribe(1, { channel: "a" }), subscribe(2, { channel: "b" }));
    expect(outline(answers).toSorted()).toEqual(["1 subscribed", "2 error LIMIT_EXCEEDED"]);
    expect(outline(await other.exchange(subscribe(1, { channel: "b" })))).toEqual(["1 subscribed"]);
  });

  test("given a log that cannot be read, when it is subscribed to, then that is UNAVAILABLE and leaves nothing behind", async () => {
    // One read opens the channel, one finds the position.
    for (const failing of [1, 2]) {
      const clock = new ManualClock();
      const broker = new InterposedBroker(new MemoryBroker({ clock }));
      await using simulation = new SimulatedServer({ clock, broker, maxSubscriptions: 1 });
      using client = await MessageClient.open(simulation);
      const { broadcaster } = simulation.server;
      const before = broadcaster.channelCount;
      let reads = 0;
      broker.beforeRead = async () => {
        if (++reads === failing) throw WsError.unavailable("away");
      };
      expect(outline(await client.exchange(subscribe(1, { rewind: 1 })))).toEqual(["1 error UNAVAILABLE"]);
      expect(broadcaster.channelCount).toBe(before);
      expect(outline(await client.exchange(subscribe(2)))).toEqual(["2 subscribed"]);
    }
  });

  test("given a client that goes while its Subscribe is under way, when the log was read, then nobody holds the channel", async () => {
    const broker = new InterposedBroker(new MemoryBroker());
    await using simulation = new SimulatedServer({ broker });
    using stays = await MessageClient.open(simulation);
    using client = await MessageClient.open(simulation);
    const reading: (() => void)[] = [];
    broker.beforeRead = () => new Promise((resolve) => reading.push(resolve));
    client.send(subscribe(1));
    await simulation.pass(20);
    expect([reading.length, simulation.server.broadcaster.channelCount]).toEqual([1, 2]);
    client[Symbol.dispose]();
    await simulation.pass(100);
    broker.beforeRead = async () => undefined;
    for (const answer of reading) answer();
    await simulation.pass(100);
    expect(simulation.server.broadcaster.channelCount).toBe(1);
    expect(outline(await stays.exchange(subscribe(1)))).toEqual(["1 subscribed"]);
  });
});
