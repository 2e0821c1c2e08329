import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { ClosingServer, errorHint } from "../closing-server.ts";
import { CuttingProxy } from "../cutting-proxy.ts";
import { upTo } from "../delivery-record.ts";
import { FrameInjector } from "../frame-injector.ts";
import { PmServerProcess, signToken } from "../pm-server.ts";
import { realClient } from "../real-client.ts";
import { ChromiumPage, hasChromium } from "./chromium.ts";

const IS_SOAK = process.env["SOAK"] === "1";
const IS_REQUIRED = process.env["REQUIRE_ALL"] === "1";
const LOAD_MS = IS_SOAK ? 60_000 : 5_000;
const TOKEN_MS = IS_SOAK ? 60_000 : 12_000;

describe.skipIf(!hasChromium && !IS_REQUIRED)("the bundle in Chromium, against the real server", () => {
  let chromium: ChromiumPage;
  let server: PmServerProcess;
  let proxy: CuttingProxy;

  const startServer = (settings: Readonly<Record<string, string>> = {}): Promise<PmServerProcess> =>
    PmServerProcess.start({
      ALLOWED_ORIGINS: chromium.origin,
      BROADCAST_CAPACITY: "1000000",
      BROADCAST_RETENTION_BYTES: "60000000",
      ...settings,
    });

  beforeAll(async () => {
    chromium = await ChromiumPage.start();
  });
  afterAll(() => chromium[Symbol.asyncDispose]());

  beforeEach(async () => {
    server = await startServer();
    proxy = await CuttingProxy.start(server.port);
  });
  afterEach(async () => {
    await chromium.page.close();
    await proxy[Symbol.asyncDispose]();
    await server.kill();
  });

  it.each(["proto", "json"] as const)(
    "given %s and connections that are cut at random under load, when there is calm again, then every publication is there once, in order",
    { timeout: LOAD_MS + 40_000 },
    async (encoding) => {
      await chromium.open({ url: proxy.url, encoding });
      const endMs = Date.now() + LOAD_MS;
      const load = chromium.load(LOAD_MS, 5);
      let cuts = 0;
      for (; Date.now() < endMs; cuts++) {
        await sleep(100 + Math.random() * 500);
        proxy.flow = Math.random() < 0.3 ? "to-server-only" : "open";
        await sleep(30);
        proxy.cut();
        proxy.flow = "open";
      }
      const count = await load;
      const { ids, offsets, misses, rejected, recoveries } = await chromium.reached(count);
      expect([misses, rejected]).toEqual([[], []]);
      expect(ids).toEqual(upTo(count));
      expect(offsets).toEqual(upTo(count));
      expect(recoveries).toBeGreaterThan(cuts / 4);
    },
  );

  it("given a page that sleeps while it is cut off, when it wakes, then it has everything that came meanwhile", async () => {
    await using publisher = realClient(server.url);
    await publisher.connect();
    await chromium.open({ url: proxy.url });
    await publisher.channel("project:42").publish(1);
    await chromium.reached(1);
    await chromium.setLifecycle("frozen");
    proxy.cut();
    for (const id of upTo(20)) await publisher.channel("project:42").publish(id + 1);
    await sleep(2000);
    await chromium.setLifecycle("active");
    const { ids, misses, recoveries } = await chromium.reached(21);
    expect([ids, misses]).toEqual([upTo(21), []]);
    expect(recoveries).toBeGreaterThan(0);
  });

  it("given a page whose connection is silent without being closed, when it notices, then it makes a new one and misses nothing", async () => {
    await using impatient = await startServer({ HEARTBEAT_INTERVAL_SECS: "1", HEARTBEAT_TIMEOUT_SECS: "1" });
    proxy.targetPort = impatient.port;
    await using publisher = realClient(impatient.url);
    await publisher.connect();
    await chromium.open({ url: proxy.url, connectTimeoutMs: 1500 });
    await publisher.channel("project:42").publish(1);
    await chromium.reached(1);
    proxy.flow = "blackhole";
    await publisher.channel("project:42").publish(2);
    await chromium.became("waiting");
    proxy.flow = "open";
    const { ids, closeCodes } = await chromium.reached(2);
    expect([ids, closeCodes[0]]).toEqual([[1, 2], 1006]);
  });

  it("given a client that waits for seconds, when the browser says that it is online again, then it connects at once", async () => {
    await chromium.open({ url: proxy.url, waitsLongest: true });
    proxy.isRefusing = true;
    await chromium.page.context().setOffline(true);
    proxy.cut();
    await chromium.listed("closeCodes", 4);
    proxy.isRefusing = false;
    const onlineMs = performance.now();
    await chromium.page.context().setOffline(false);
    await chromium.became("connected");
    // The fourth wait is of 4 s.
    expect(performance.now() - onlineMs).toBeLessThan(3000);
  });

  it("given a server that is killed, when another one is in its place, then the new epoch is told", async () => {
    await chromium.open({ url: proxy.url });
    await chromium.publish([1]);
    await server.kill();
    server = await startServer();
    proxy.targetPort = server.port;
    await chromium.became("connected");
    await chromium.listed("misses", 1);
    await chromium.publish([2]);
    const { ids, misses } = await chromium.reached(2);
    expect([ids, misses]).toEqual([[1, 2], ["EPOCH_CHANGED"]]);
  });

  it("given a GoAway, when the page has moved to a second connection, then nothing was lost or repeated, and it was never away", async () => {
    await using injector = await FrameInjector.start(server.url);
    await chromium.open({ url: injector.url });
    const load = chromium.load(1500, 5);
    for (const round of upTo(3)) {
      await sleep(300);
      injector.say({ body: { case: "goAway", value: { reconnectAfterMs: 20 } } });
      await injector.reached(round + 1);
    }
    const count = await load;
    expect(injector.clients).toHaveLength(4);
    const { ids, states, recoveries } = await chromium.reached(count);
    expect([ids, recoveries]).toEqual([upTo(count), 3]);
    expect(states).toEqual(["connecting", "connected", "connected", "connected", "connected"]);
  });

  it("given a server that drains, when the hint has passed, then the page is on the other server before the close", async () => {
    await using draining = await startServer({
      DRAIN_GRACE_SECS: "1",
      DRAIN_WINDOW_SECS: "3",
      DRAIN_DEADLINE_SECS: "6",
    });
    proxy.targetPort = draining.port;
    await chromium.open({ url: proxy.url });
    proxy.targetPort = server.port;
    draining.signal("SIGTERM");
    await chromium.listed("misses", 1);
    await chromium.publish([1]);
    const { states } = await chromium.reached(1);
    expect(states).toEqual(["connecting", "connected", "connected"]);
  });

  it("given tokens of 5 s, when time goes on, then each is refreshed in place and nobody subscribes again", {
    timeout: TOKEN_MS + 20_000,
  }, async () => {
    await chromium.open({ url: server.url, expiresIn: 5 });
    const count = await chromium.load(TOKEN_MS, 200);
    const { ids, states, channelStates, tokenReasons, errors } = await chromium.reached(count);
    expect([ids, states, channelStates, errors]).toEqual([
      upTo(count),
      ["connecting", "connected"],
      ["subscribing", "subscribed"],
      [],
    ]);
    expect(new Set(tokenReasons)).toEqual(new Set(["connect", "refresh"]));
    expect(tokenReasons.length).toBeGreaterThan(TOKEN_MS / 5000);
  });

  it("given a consumer that is slower than the publisher, when 2000 are published, then all come, in order, and the queue keeps its bound", async () => {
    await using publisher = realClient(server.url, { maxPendingPublishes: 2000 });
    await publisher.connect();
    await chromium.open({ url: server.url, maxQueuedPublications: 50 });
    await chromium.startLoop(2000);
    await Promise.all(upTo(2000).map((id) => publisher.channel("project:42").publish(id)));
    const { taken, furthestAhead } = await chromium.loop();
    expect(taken).toEqual(upTo(2000));
    expect(furthestAhead).toBeLessThanOrEqual(50);
    expect((await chromium.record()).channelStates.filter((state) => state === "paused").length).toBeGreaterThan(3);
  });

  it("given every close code and two unknown ones, when the page is closed with each, then it stops or is back as the protocol says", {
    timeout: 60_000,
  }, async () => {
    await using closing = await ClosingServer.start();
    const stopping = [1000, 1002, 1003, 1007, 1008, 4500, 4503, 4777];
    const returning = ["cut", 1001, 1009, 1011, 1012, 1013, 4008, 4009, 4029, 4123, 4401, 4501] as const;
    for (const closes of [...stopping, ...returning]) {
      closing.scripts.push({ closes, says: closes === 1013 ? [errorHint(50)] : [] });
      await chromium.begin({ url: closing.url });
      const { closeCodes } = await chromium.listed("closeCodes", 1);
      expect(closeCodes).toEqual([closes === "cut" ? 1006 : closes]);
      const { tokenReasons } = await chromium.became(
        typeof closes === "number" && stopping.includes(closes) ? "stopped" : "connected",
      );
      expect(tokenReasons.length).toBe(closes === 4401 || closes === 4501 ? 2 : 1);
    }
    expect(closing.openedMs).toHaveLength(stopping.length + 2 * returning.length);
  });

  it.each([
    ["a token that is none", () => Promise.resolve("not.a.token"), 4501, ["connect", "refused"]],
    ["an expired token", () => signToken({ expiresIn: -60 }), 4401, ["connect", "expired", "expired"]],
  ])(
    "given %s, when the page connects, then it reads why, which it could not from a refused upgrade",
    async (_, token, code, reasons) => {
      await chromium.begin({ url: server.url, token: await token() });
      const { closeCodes, tokenReasons } = await chromium.listed("tokenReasons", reasons.length);
      expect([closeCodes[0], tokenReasons.slice(0, reasons.length)]).toEqual([code, reasons]);
    },
  );
});
