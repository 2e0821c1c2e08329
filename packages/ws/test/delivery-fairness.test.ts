import { parseTenantId } from "@pm/core";
import { describe, expect, it } from "vitest";
import { WsMetrics } from "../src/index.ts";
import type { Run } from "../src/fanout/run.ts";
import type { RecordingClient } from "../src/testing/index.ts";
import { payloadWithId } from "../src/testing/payload-id.ts";
import { expectPromiseKept } from "./support/expect-promise-kept.ts";
import { RealServer } from "./support/real-server.ts";
import { SimulatedServer } from "./support/simulated-server.ts";

const CROWD = 60;
const NOISY = parseTenantId("noisy");
const QUIET = parseTenantId("quiet");
/** Rooms and their readers, each of them in one room: a slice of a flood ends by what was written, on any machine. */
const ROOMS = Array.from({ length: 20 }, (_, index) => `room:${index}`);
const READERS = 32;
const FLOOD = READERS * ROOMS.length;
/**
 * Deliveries of the flood that may come between a publication of the quiet tenant and its delivery. A slice has at most
 * 96, and one or two slices come between; the rest is for a turn in which the machine was away.
 */
const MAX_BETWEEN = FLOOD / 2;

/** Calls back as soon as a run was offered to all its readers, within the turn. */
class FanOutWatch extends WsMetrics {
  onFannedOut: (subscriptions: number) => void = () => undefined;

  override fannedOut(run: Run, delivery: { readonly subscriptions: number; readonly nowMs: number }): void {
    super.fannedOut(run, delivery);
    this.onFannedOut(delivery.subscriptions);
  }
}

/** A crowd in some rooms of one tenant, one reader of another, and how many deliveries the crowd has been given. */
class Neighbours {
  readonly simulation: SimulatedServer;
  readonly crowd: { readonly client: RecordingClient; readonly room: string }[] = [];
  readonly quiet: RecordingClient;
  readonly #metrics = new FanOutWatch();

  constructor() {
    this.simulation = new SimulatedServer({ metrics: this.#metrics });
    this.quiet = this.simulation.client(QUIET, "u1");
    for (const room of ROOMS) {
      for (let n = 0; n < READERS; n++) this.crowd.push({ client: this.simulation.client(NOISY, `u${n}`), room });
    }
  }

  async enter(): Promise<void> {
    await this.quiet.connect();
    await this.quiet.subscribe("room:quiet");
    for (const { client, room } of this.crowd) {
      await client.connect();
      // With a second channel what is written goes down at the end of a slice, and counts towards it.
      await Promise.all([client.subscribe(room), client.subscribe("aside")]);
    }
  }

  /** One publication in each room, all of them in the log and none handed out when it returns. */
  flood(): void {
    for (const [index, room] of ROOMS.entries()) this.#publish(NOISY, room, `n${index}`);
  }

  /** Deliveries of the flood between a publication of the quiet tenant and its own delivery. */
  async deliveriesBetween(): Promise<number> {
    const before = this.#given();
    const given = new Promise<number>((resolve) => {
      // The room of the quiet tenant is the one with a single reader.
      this.#metrics.onFannedOut = (subscriptions) => subscriptions === 1 && resolve(this.#given());
    });
    this.#publish(QUIET, "room:quiet", "q1");
    return (await given) - before;
  }

  async allHaveEverything(): Promise<void> {
    await this.quiet.reaches("room:quiet", 1);
    await Promise.all(this.crowd.map(({ client, room }) => client.reaches(room, 1)));
  }

  /** In memory an entry is in the log, and told, when the call returns. */
  #publish(tenant: typeof NOISY, channel: string, id: string): void {
    const { checker, server } = this.simulation;
    const log = { tenant, name: this.quiet.logOf(channel).name };
    checker.record({ kind: "publishing", reader: "backend", log, payloadId: id });
    const payload = payloadWithId(id, { kind: "json" });
    void server.publish({ tenant, channel }, payload.kind === "json" ? { payload: payload.json } : {});
  }

  #given(): number {
    const connections = this.simulation.server.connections.find({ tenant: NOISY });
    return [...connections].reduce((sum, { outbox }) => sum + outbox.messagesOut, 0);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.simulation[Symbol.asyncDispose]();
  }
}

async function crowdOf(real: RealServer, tenant: string, count: number): Promise<RecordingClient[]> {
  const clients: RecordingClient[] = [];
  for (let index = 0; index < count; index++) {
    const client = await real.connect(tenant, `u${index}`);
    await client.subscribe("room:1");
    clients.push(client);
  }
  return clients;
}

describe("the turns of tenants", () => {
  it("given a flood that is about to be handed out, when a quiet tenant publishes, then it waits for a small part of that", async () => {
    await using neighbours = new Neighbours();
    await neighbours.enter();
    neighbours.flood();
    const between = await neighbours.deliveriesBetween();
    expect(between).toBeLessThanOrEqual(MAX_BETWEEN);
    await neighbours.allHaveEverything();
    expectPromiseKept(neighbours.simulation.checker);
  });
});

describe("a tenant that publishes as fast as it can", () => {
  it("given a crowd of subscribers, when another tenant publishes meanwhile, then all of both arrives in order", async () => {
    await using real = await RealServer.start();
    const crowd = await crowdOf(real, "noisy", CROWD);
    const [quiet, writer] = await crowdOf(real, "quiet", 2);
    const flood = await real.connect("noisy", "flood");
    let isOver = false;
    let flooded = 0;
    const flooding = (async () => {
      while (!isOver) {
        const ids = Array.from({ length: 100 }, () => `n${++flooded}`);
        await Promise.all(ids.map((id) => flood.publish("room:1", id, { bytes: 500 })));
      }
    })();
    for (let n = 1; n <= 100; n++) {
      await writer?.publish("room:1", `q${n}`);
      await quiet?.reaches("room:1", n);
    }
    isOver = true;
    await flooding;
    await Promise.all(crowd.map((client) => client.reaches("room:1", flooded)));
    expect(flooded).toBeGreaterThan(200);
    expectPromiseKept(real.checker);
  });

  it("given a fan-out over its bound, when a client publishes on, then it is held back, not refused, and all is delivered", async () => {
    await using real = await RealServer.start({ maxPendingBytesPerTenant: 4096 });
    const crowd = await crowdOf(real, "noisy", CROWD);
    const flood = await real.connect("noisy", "flood");
    const [quiet, writer] = await crowdOf(real, "quiet", 2);
    const ids = Array.from({ length: 800 }, (_, index) => `n${index + 1}`);
    const flooding = Promise.all(ids.map((id) => flood.publish("room:1", id, { bytes: 1000 })));
    let mostPending = 0;
    for (let n = 1; n <= 20; n++) {
      await writer?.publish("room:1", `q${n}`);
      await quiet?.reaches("room:1", n);
      mostPending = Math.max(mostPending, real.server.broadcaster.pendingBytes);
    }
    await flooding;
    await Promise.all(crowd.map((client) => client.reaches("room:1", ids.length)));
    expect(mostPending).toBeLessThan(200_000);
    expect(real.server.broadcaster.pendingBytes).toBe(0);
    expectPromiseKept(real.checker);
  });
});
