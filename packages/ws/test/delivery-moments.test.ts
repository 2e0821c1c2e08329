import { parseChannelName, parseTenantId } from "@pm/core";
import { ManualClock } from "@pm/core/testing";
import { RecoveryMiss } from "@pm/proto";
import { describe, expect, it } from "vitest";
import { MemoryBroker } from "../src/index.ts";
import { HostileBroker, NO_FAULTS, SeededRandom } from "../src/testing/index.ts";
import { InterposedBroker } from "./support/interposed-broker.ts";
import { expectPromiseKept } from "./support/expect-promise-kept.ts";
import { nameAuthenticator } from "./support/name-authenticator.ts";
import { SimulatedServer } from "./support/simulated-server.ts";

// What happens at exact moments, between a server and its log.

const ROOM = { tenant: parseTenantId("t1"), name: parseChannelName("room:1") };
const TICKER = { tenant: parseTenantId("t1"), name: parseChannelName("ticker:1") };
const KINDS = { kinds: { ticker: { lagPolicy: "latest" } } } as const;

/** A server whose broker renews the log of a channel before its n-th read. */
async function renewAtRead(channel: typeof ROOM, atRead: number): Promise<[SimulatedServer, InterposedBroker]> {
  const memory = new MemoryBroker();
  const broker = new InterposedBroker(memory);
  const simulation = new SimulatedServer({ broker, channelKinds: KINDS });
  let reads = 0;
  broker.beforeRead = async () => {
    if (++reads !== atRead) return;
    const { epoch } = await memory.read(channel, { from: 0, direction: "forward", maxCount: 1, maxBytes: 1 });
    await memory.renew(channel, epoch);
  };
  return [simulation, broker];
}

describe("a Subscribe while the log gets a new epoch", () => {
  // Reads: the first opens the channel of the tenant, the second is for its Subscribed.
  it.each([3, 4, 5, 6])(
    "given a rewind, when the epoch changes before read %d, then position and top fit",
    async (atRead) => {
      const [simulation] = await renewAtRead(ROOM, atRead);
      await using _ = simulation;
      const client = simulation.client("t1", "u");
      await client.connect();
      for (let n = 1; n <= 5; n++) await client.publish("room:1", `p${n}`);
      const { position, top } = await client.subscribe("room:1", { rewind: 3 });
      expect(position?.epoch).toBe(top?.epoch);
      await simulation.pass(6000, 100);
      expectPromiseKept(simulation.checker);
    },
  );

  it.each([3, 4, 5, 6])(
    "given a policy of the newest, when the epoch changes before read %d, then the answer fits",
    async (atRead) => {
      const [simulation] = await renewAtRead(TICKER, atRead);
      await using _ = simulation;
      const client = simulation.client("t1", "u");
      await client.connect();
      const { position } = await client.publish("ticker:1", "p1");
      const since = { epoch: position?.epoch ?? "", offset: 1, check: ((position?.check ?? 0) ^ 1) >>> 0 };
      const { miss, recovered } = await client.subscribe("ticker:1", { since });
      expect(recovered).toBe(false);
      expect([RecoveryMiss.CHECK_MISMATCH, RecoveryMiss.EPOCH_CHANGED]).toContain(miss);
      await simulation.pass(6000, 100);
      expectPromiseKept(simulation.checker);
    },
  );
});

describe("a reader that is not where its channel is", () => {
  it("given an entry that is fanned out while a reader's page is read, when the page comes, then the entry follows at once", async () => {
    const broker = new InterposedBroker(new MemoryBroker());
    await using simulation = new SimulatedServer({ broker });
    const [reader, writer] = [simulation.client("t1", "r"), simulation.client("t1", "w")];
    await Promise.all([reader.connect(), writer.connect()]);
    const { position } = await writer.publish("room:1", "p1");
    const since = { epoch: position?.epoch ?? "", offset: 0, check: 0 };
    // Somebody who is live, so that entries are taken from notices.
    await writer.subscribe("room:1");
    let isLate = true;
    broker.afterRead = async ({ maxCount }) => {
      // Only a page of a reader that catches up is longer than one entry.
      if (!isLate || maxCount === 1) return;
      isLate = false;
      await writer.publish("room:1", "p2");
      await writer.reaches("room:1", 2);
    };
    await reader.subscribe("room:1", { since });
    await simulation.pass(200);
    expect(isLate).toBe(false);
    expect(reader.cursor("room:1")?.offset).toBe(2);
    expectPromiseKept(simulation.checker);
  });

  it("given a reader who has read further than its channel has heard, when the log loses that, then the reader is told", async () => {
    const clock = new ManualClock();
    const broker = new HostileBroker({ broker: new MemoryBroker({ clock }), clock, random: new SeededRandom(1) });
    await using simulation = new SimulatedServer({ broker, clock });
    const [reader, writer] = [simulation.client("t1", "r"), simulation.client("t1", "w")];
    await Promise.all([reader.connect(), writer.connect()]);
    await reader.subscribe("room:1");
    broker.faults = { ...NO_FAULTS, dropNotices: 1 };
    const { position } = await writer.publish("room:1", "p1");
    await reader.subscribe("room:1", { since: reader.cursor("room:1") });
    await reader.reaches("room:1", 1);
    broker.calm();
    simulation.checker.record({ kind: "tail-lost", log: ROOM, epoch: position?.epoch ?? "" });
    await broker.loseTail(ROOM, 1);
    for (const id of ["p2", "p3"]) await writer.publish("room:1", id);
    await simulation.pass(10_000, 100);
    const { epoch, top } = await broker.read(ROOM, { from: 0, direction: "forward", maxCount: 1, maxBytes: 1 });
    expect(epoch).not.toBe(position?.epoch);
    expect(reader.cursor("room:1")).toEqual({ epoch, ...top });
    expectPromiseKept(simulation.checker);
  });
});

describe("a Subscribe where the channel has heard nothing", () => {
  it("given all that the channel knows of is gone, when a rewind is asked for, then it is of the newest", async () => {
    const clock = new ManualClock();
    const memory = new MemoryBroker({ clock, retentionOf: () => ({ count: 5, bytes: 1_000_000, ageMs: 60_000 }) });
    const broker = new HostileBroker({
      broker: memory,
      clock,
      random: new SeededRandom(1),
      faults: { dropNotices: 1 },
    });
    await using simulation = new SimulatedServer({ broker, clock });
    const [reader, writer] = [simulation.client("t1", "r"), simulation.client("t1", "w")];
    await Promise.all([reader.connect(), writer.connect()]);
    await reader.subscribe("room:1");
    for (let n = 1; n <= 20; n++) await writer.publish("room:1", `p${n}`);
    const { position, top } = await writer.subscribe("room:1", { rewind: 3 });
    expect([position?.offset, top?.offset]).toEqual([17n, 20n]);
    await simulation.pass(10_000, 100);
    expectPromiseKept(simulation.checker);
  });
});

describe("a reader that lags behind a channel of the newest", () => {
  it("given a page on its way, when the reader subscribes anew, then it hears nothing of its old subscription", async () => {
    const broker = new InterposedBroker(new MemoryBroker());
    await using simulation = new SimulatedServer({ broker, channelKinds: KINDS });
    const [reader, writer] = [simulation.client("t1", "r"), simulation.client("t1", "w")];
    await Promise.all([reader.connect(), writer.connect()]);
    await reader.subscribe("ticker:1");
    reader.stall();
    for (let n = 1; n <= 20; n++) await writer.publish("ticker:1", `p${n}`, { bytes: 20_000 });
    let isAnew = false;
    broker.afterRead = async ({ direction }) => {
      if (direction === "forward" || isAnew) return;
      isAnew = true;
      await reader.unsubscribe("ticker:1");
      await reader.subscribe("ticker:1", { rewind: 10 });
    };
    reader.resume();
    await reader.until(() => isAnew);
    await reader.reaches("ticker:1", 20);
    await simulation.pass(100);
    expectPromiseKept(simulation.checker);
  });
});

describe("a Subscribe while the token is replaced", () => {
  it.each([undefined, "cursor"])(
    "given a token that allows nothing, when a Subscribe from %s is under way, then the client ends up without it",
    async (from) => {
      const broker = new InterposedBroker(new MemoryBroker());
      await using simulation = new SimulatedServer({ broker });
      const client = simulation.client("t1", "u");
      await client.connect();
      if (from === "cursor") await client.subscribe("room:1");
      let isReplaced = false;
      broker.afterRead = async () => {
        if (isReplaced) return;
        isReplaced = true;
        await client.send({ body: { case: "refreshToken", value: { token: "t1.u.nothing" } } });
      };
      await client.subscribe("room:1", { since: client.cursor("room:1") });
      await simulation.server.publish({ tenant: ROOM.tenant, channel: "room:1" }, { payload: '"x "' });
      await simulation.pass(100);
      expect(client.cursor("room:1")).toBeUndefined();
      expect([...simulation.server.connections.find()].map(({ subscriptions }) => subscriptions.size)).toEqual([0]);
      // That of the tenant is left.
      expect(simulation.server.broadcaster.channelCount).toBe(1);
      expectPromiseKept(simulation.checker);
    },
  );
});

describe("a handshake under way when the server begins to close", () => {
  it("given a token that takes its time, when it is verified, then the handshake is refused, and the shutdown waits for nobody", async () => {
    let verify: () => void = () => undefined;
    const verified = new Promise<void>((resolve) => {
      verify = resolve;
    });
    await using simulation = new SimulatedServer({
      authenticator: {
        authenticate: async (token) => {
          await verified;
          return nameAuthenticator.authenticate(token);
        },
      },
    });
    const refused = simulation.client("t1", "late").connect();
    const outcome = expect(refused).rejects.toMatchObject({ code: 503 });
    await simulation.pass(20);
    await simulation.server.shutdown.drain({ graceSecs: 0 });
    verify();
    await outcome;
    expect(simulation.server.connections.size).toBe(0);
  });

  it("given a connection that is still to be closed, when another handshake comes, then it is refused with 503", async () => {
    await using simulation = new SimulatedServer();
    await simulation.client("t1", "early").connect();
    const drained = simulation.server.shutdown.drain({ graceSecs: 0, windowSecs: 1 });
    await simulation.pass(20);
    await expect(simulation.client("t1", "late").connect()).rejects.toMatchObject({ code: 503 });
    expect(simulation.server.connections.size).toBe(1);
    await simulation.pass(1100);
    await drained;
  });
});

describe("many Subscribes in one frame", () => {
  it("given a limit of subscriptions, when more are asked for at once, then only so many begin", async () => {
    await using simulation = new SimulatedServer({ maxSubscriptions: 8 });
    const client = simulation.client("t1", "u");
    await client.connect();
    const requests = Array.from({ length: 20 }, (_, n) => ({
      body: { case: "subscribe" as const, value: { channel: `room:${n}` } },
    }));
    await expect(client.send(...requests)).rejects.toMatchObject({ code: "LIMIT_EXCEEDED" });
    await simulation.pass(100);
    const [connection] = simulation.server.connections.find();
    expect(connection?.subscriptions.size).toBe(8);
    await client.unsubscribe("room:0");
    await client.subscribe("room:another");
  });
});
