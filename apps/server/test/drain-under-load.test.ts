import { setTimeout as delay } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import { type Closure, ProtocolClient, publishOf } from "./support/protocol-client.ts";
import { ServerProcess } from "./support/server-process.ts";

const CLIENTS = process.env["SOAK"] === "1" ? 3_000 : 500;
const CHANNELS = CLIENTS / 10;
/** Between two publications of a client: all together publish 500 a second, however many they are. */
const PAUSE_MS = CLIENTS * 2;
const GRACE_MS = 1_000;
const WINDOW_MS = 4_000;
const DEADLINE_MS = 9_000;

/** A client that subscribes to a channel and publishes to it, awaiting each Published, until it is closed. */
class LoadedClient {
  readonly client: ProtocolClient;
  readonly channel: string;
  readonly acknowledged: string[] = [];
  readonly closed: Promise<Closure>;
  /** How long the slowest reply took: what the machine has to spare. */
  slowestMs = 0;

  constructor(client: ProtocolClient, channel: string) {
    this.client = client;
    this.channel = channel;
    this.closed = client.closed;
  }

  async publishUntilClosed(): Promise<void> {
    await delay(Math.random() * 1_000);
    try {
      for (;;) {
        const askedMs = performance.now();
        const reply = await this.client.request(publishOf(this.channel, '"load"'), 20_000);
        this.slowestMs = Math.max(this.slowestMs, performance.now() - askedMs);
        if (reply.case === "published") this.acknowledged.push(reply.value.messageId);
        await delay(PAUSE_MS);
      }
    } catch {
      await this.closed;
    }
  }
}

describe("SIGTERM under load", () => {
  it(`given ${CLIENTS} clients that publish, when SIGTERM comes, then nothing acknowledged is lost and the closes are spread evenly, all 1012`, async () => {
    await using server = await ServerProcess.start({
      RATE_LIMIT_REQUESTS: "100000",
      MAX_CONNECTIONS_PER_TENANT: "100000",
      DRAIN_GRACE_SECS: String(GRACE_MS / 1_000),
      DRAIN_WINDOW_SECS: String(WINDOW_MS / 1_000),
      DRAIN_DEADLINE_SECS: String(DEADLINE_MS / 1_000),
    });
    const loaded: LoadedClient[] = [];
    for (let n = 0; n < CLIENTS; n += 1) {
      const client = await ProtocolClient.connect(server, { user: `u-${n}` });
      const channel = `load:${n % CHANNELS}`;
      await client.subscribe(channel);
      loaded.push(new LoadedClient(client, channel));
    }
    const running = loaded.map((one) => one.publishUntilClosed());
    const acknowledged = (): number => loaded.reduce((sum, one) => sum + one.acknowledged.length, 0);
    await expect.poll(acknowledged, { timeout: 60_000, interval: 20 }).toBeGreaterThan(1_000);

    const signalledMs = performance.now();
    server.signal("SIGTERM");
    await expect.poll(async () => (await server.get("/ready")).status, { timeout: 1_000, interval: 20 }).toBe(503);
    await Promise.all(running);
    const exit = await server.exit;
    expect([exit.code, server.faults]).toEqual([0, []]);
    expect(exit.atMs - signalledMs).toBeLessThan(DEADLINE_MS);

    const closures = await Promise.all(loaded.map(({ closed }) => closed));
    expect(new Set(closures.map(({ code }) => code))).toEqual(new Set([1012]));
    const slowestMs = Math.max(...loaded.map((one) => one.slowestMs));
    expectEvenSpread(await closesOf(loaded), { earliestMs: signalledMs + GRACE_MS, slowestMs });
    expectNothingLost(loaded);
  }, 180_000);
});

/** When a client was closed, and how long after GoAway that was to be: twice its hint. */
interface Close {
  readonly atMs: number;
  readonly plannedMs: number;
}

async function closesOf(loaded: LoadedClient[]): Promise<Close[]> {
  return Promise.all(
    loaded.map(async ({ client, closed }) => {
      const hints = client.received("goAway").map(({ reconnectAfterMs }) => reconnectAfterMs);
      expect(hints).toHaveLength(1);
      return { atMs: (await closed).atMs, plannedMs: 2 * (hints[0] ?? 0) };
    }),
  );
}

/**
 * The plan is even to the millisecond, nobody is closed before it, and nearly nobody later than the machine explains.
 */
function expectEvenSpread(closes: Close[], times: { readonly earliestMs: number; readonly slowestMs: number }): void {
  const planned = closes.map(({ plannedMs }) => plannedMs).toSorted((a, b) => a - b);
  expect(planned).toEqual(planned.map((_, index) => 2 * Math.round((WINDOW_MS * (index + 1)) / CLIENTS / 2)));
  const begins = closes.map(({ atMs, plannedMs }) => atMs - plannedMs).toSorted((a, b) => a - b);
  const [first = 0] = begins;
  // Hints are rounded, and so are timers.
  expect(first).toBeGreaterThan(times.earliestMs - 5);
  const lateMs = (begins[Math.floor(0.9 * CLIENTS)] ?? 0) - first;
  expect(lateMs).toBeLessThan(WINDOW_MS / 12 + times.slowestMs);
}

/** Every acknowledged publication reached a subscriber, and each subscriber saw one epoch without a gap. */
function expectNothingLost(loaded: LoadedClient[]): void {
  const delivered = new Set<string>();
  for (const { client, channel } of loaded) {
    const publications = client.received("publication").filter((publication) => publication.channel === channel);
    let expected =
      (client.received("subscribed").find((subscribed) => subscribed.channel === channel)?.position?.offset ?? 0n) + 1n;
    for (const { offset, messageId } of publications) {
      expect(offset).toBe(expected);
      expected += 1n;
      delivered.add(messageId);
    }
    expect(client.received("lagged")).toEqual([]);
  }
  const acknowledged = loaded.flatMap((one) => one.acknowledged);
  expect(acknowledged.length).toBeGreaterThan(1_500);
  expect(acknowledged.filter((messageId) => !delivered.has(messageId))).toEqual([]);
}
